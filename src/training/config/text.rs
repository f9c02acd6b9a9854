//! Owns [`Config::to_toml`], the settings as a file that reads back the same.

use std::fmt::Write;

use super::Config;
use super::keys::keys;
use super::resolve::sources;

impl Config {
    /// Every setting as TOML, in the order of the table of keys, each with the source of its value.
    pub fn to_toml(&self) -> String {
        self.under("# Every setting of a run, resolved: running it again gives the same numbers.\n")
    }

    /// The same of a run whose settings changed on the way: it says when, a line each, and that these alone give
    /// another run.
    pub fn to_toml_after(&self, changes: &[String]) -> String {
        if changes.is_empty() {
            return self.to_toml();
        }
        let changes: String = changes.iter().map(|change| format!("#   {change}\n")).collect();
        self.under(&format!(
            "# Every setting of a run as it ended, resolved. Run from the start they do not give its numbers, for\n\
             # they were\n{changes}"
        ))
    }

    fn under(&self, head: &str) -> String {
        let (leaves, sources) = (self.leaves(), sources(self));
        let mut text = head.to_owned();
        text.push_str(
            "# Behind each value its source: P1, P2 = the papers' text; C = their published code;\n\
             # own = our choice; given = set by the user.\n",
        );
        let mut table = "";
        for info in keys().iter().filter(|k| k.belongs_to(self.task.own.kind())) {
            let Some(value) = leaves.get(info.path) else { continue };
            let (parent, name) = info.path.rsplit_once('.').unwrap_or(("", info.path));
            if parent != table {
                let _ = write!(text, "\n[{parent}]\n");
                table = parent;
            }
            let _ = write!(text, "{name} = {value}");
            if let Some(source) = sources.get(info.path) {
                let _ = write!(text, "  # {source}");
            }
            text.push('\n');
        }
        text
    }

    /// A short fingerprint of all settings (FNV-1a, 64 bits, of their values): equal settings have equal
    /// fingerprints, in every version that has the same keys.
    pub fn fingerprint(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for (path, value) in self.leaves() {
            for byte in format!("{path}={value}\n").bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        format!("{hash:016x}")
    }
}
