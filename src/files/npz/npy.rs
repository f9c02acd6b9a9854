//! Owns the .npy format (numpy's format.py, versions 1.0 to 3.0): header and values.

use std::io::Read;

use super::{Data, shape_text};

/// Longest header that is read; numpy's own limit is 10,000.
const MOST_HEADER: usize = 1 << 16;
/// Most dimensions; numpy's own limit.
const MOST_DIMENSIONS: usize = 64;

/// How one value stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
    /// One string, of so many code points as there are values.
    Text,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    kind: Kind,
    width: usize,
    big_endian: bool,
    fortran: bool,
    pub shape: Vec<usize>,
    /// Number of values.
    pub count: usize,
}

impl Header {
    /// Reads a header; gives it with its length in bytes.
    pub(super) fn read(source: &mut impl Read) -> Result<(Self, u64), String> {
        let mut start = [0; 8];
        exact(source, &mut start)?;
        if &start[..6] != b"\x93NUMPY" {
            return Err("is not a .npy array".into());
        }
        let (length, prefix) = match start[6] {
            1 => {
                let mut bytes = [0; 2];
                exact(source, &mut bytes)?;
                (usize::from(u16::from_le_bytes(bytes)), 10)
            }
            2 | 3 => {
                let mut bytes = [0; 4];
                exact(source, &mut bytes)?;
                (u32::from_le_bytes(bytes) as usize, 12)
            }
            version => return Err(format!("is .npy version {version}: expected 1 to 3")),
        };
        if length > MOST_HEADER {
            return Err(format!("has a header of {length} bytes: expected at most {MOST_HEADER}"));
        }
        let mut text = vec![0; length];
        exact(source, &mut text)?;
        let header =
            parse(&text).ok_or("its header is damaged: expected descr, fortran_order and shape")??;
        Ok((header, prefix + length as u64))
    }

    /// Bytes of all values.
    pub(super) fn bytes(&self) -> u64 {
        (self.count * self.width) as u64
    }

    /// Bytes of all values once they are read, at least 1.
    pub(super) fn memory(&self) -> u64 {
        let width = if (self.kind, self.width) == (Kind::Unsigned, 1) { 1 } else { 8 };
        // Fortran order is turned in a second buffer.
        (self.count as u64).saturating_mul(width * if self.fortran { 2 } else { 1 })
    }

    /// Reads all values; memory grows as they arrive.
    pub(super) fn values(&self, source: &mut impl Read) -> Result<Data, String> {
        let data = match (self.kind, self.width) {
            (Kind::Unsigned, 1) => Data::Bytes(self.collect(source, |b, _| Ok(b[0]))?),
            (Kind::Text, _) => Data::Text(self.text(source)?),
            (Kind::Float, _) => Data::Floats(self.collect(source, |b, big| Ok(float(b, big)))?),
            (kind, _) => Data::Whole(self.collect(source, |b, big| whole(kind, b, big))?),
        };
        Ok(if self.fortran && self.shape.len() > 1 {
            match data {
                Data::Floats(v) => Data::Floats(self.row_major(&v)),
                Data::Whole(v) => Data::Whole(self.row_major(&v)),
                Data::Bytes(v) => Data::Bytes(self.row_major(&v)),
                Data::Text(text) => Data::Text(text),
            }
        } else {
            data
        })
    }

    /// One string: UTF-32, filled up with zeros.
    fn text(&self, source: &mut impl Read) -> Result<String, String> {
        let points = self.collect(source, |b, big| whole(Kind::Unsigned, b, big))?;
        let text: Option<String> = points.iter().map(|p| char::from_u32(u32::try_from(*p).ok()?)).collect();
        let text = text.ok_or("is a string with a value that is no character")?;
        Ok(text.trim_end_matches('\0').to_owned())
    }

    fn collect<T>(
        &self,
        source: &mut impl Read,
        value: impl Fn(&[u8], bool) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut values = Vec::new();
        let mut buffer = vec![0; self.width * 4096];
        while values.len() < self.count {
            let n = (self.count - values.len()).min(4096);
            let piece = &mut buffer[..n * self.width];
            exact(source, piece)?;
            if values.capacity() - values.len() < n {
                // Doubling, but never beyond what the header says.
                values.reserve_exact((values.len() + n).min(self.count - values.len()).max(n));
            }
            for bytes in piece.chunks_exact(self.width) {
                values.push(value(bytes, self.big_endian)?);
            }
        }
        Ok(values)
    }

    /// The values of a column-major array in row-major order.
    fn row_major<T: Copy>(&self, values: &[T]) -> Vec<T> {
        let strides: Vec<usize> = self
            .shape
            .iter()
            .scan(1, |stride, n| {
                let own = *stride;
                *stride *= n;
                Some(own)
            })
            .collect();
        let mut index = vec![0; self.shape.len()];
        let mut at = 0;
        let mut out = Vec::with_capacity(values.len());
        for _ in 0..values.len() {
            out.push(values[at]);
            for d in (0..index.len()).rev() {
                index[d] += 1;
                at += strides[d];
                if index[d] < self.shape[d] {
                    break;
                }
                at -= strides[d] * self.shape[d];
                index[d] = 0;
            }
        }
        out
    }
}

fn exact(source: &mut impl Read, bytes: &mut [u8]) -> Result<(), String> {
    source.read_exact(bytes).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => "ends in the middle: it is truncated or damaged".into(),
        _ => format!("cannot be unpacked: {}", crate::files::atomic::reason(&e)),
    })
}

fn padded(bytes: &[u8], big_endian: bool, fill: u8) -> [u8; 8] {
    let mut wide = [fill; 8];
    for (i, b) in bytes.iter().enumerate() {
        wide[if big_endian { bytes.len() - 1 - i } else { i }] = *b;
    }
    wide
}

fn whole(kind: Kind, bytes: &[u8], big_endian: bool) -> Result<i64, String> {
    let top = if big_endian { bytes[0] } else { bytes[bytes.len() - 1] };
    let fill = if kind == Kind::Signed && top >= 0x80 { 0xff } else { 0 };
    let value = i64::from_le_bytes(padded(bytes, big_endian, fill));
    if kind == Kind::Unsigned && value < 0 {
        return Err(format!("has the value {}: expected at most {}", value as u64, i64::MAX));
    }
    Ok(value)
}

fn float(bytes: &[u8], big_endian: bool) -> f64 {
    let bits = u64::from_le_bytes(padded(bytes, big_endian, 0));
    match bytes.len() {
        2 => half(bits as u16),
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    }
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// The header's dictionary. `None`: it is not one; `Some(Err)`: it asks for what is not read.
fn parse(text: &[u8]) -> Option<Result<Header, String>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let body = text.strip_prefix('{')?.strip_suffix('}')?;
    let after = |key: &str| {
        let at = [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|k| body.find(k.as_str()))?;
        body[at + key.len() + 2..].trim_start().strip_prefix(':').map(str::trim_start)
    };
    let fortran = match after("fortran_order")? {
        v if v.starts_with("True") => true,
        v if v.starts_with("False") => false,
        _ => return None,
    };
    let list = after("shape")?.strip_prefix('(')?;
    let list = &list[..list.find(')')?];
    let mut shape = Vec::new();
    for part in list.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        shape.push(part.trim_end_matches('L').parse::<usize>().ok()?);
    }
    let descr = after("descr")?;
    let quote = descr.chars().next()?;
    if !['\'', '"'].contains(&quote) {
        return Some(Err("is a table of fields: expected an array of numbers".into()));
    }
    let descr = &descr[1..];
    Some(typed(&descr[..descr.find(quote)?], fortran, shape))
}

fn typed(descr: &str, fortran: bool, shape: Vec<usize>) -> Result<Header, String> {
    let wrong = || {
        let what = if descr.contains('O') { " (pickled objects, never read)" } else { "" };
        format!(
            "is of type `{}`{what}: expected numbers (f2, f4, f8, i1 to i8, u1 to u8, b1)",
            descr.escape_debug()
        )
    };
    let order = descr.chars().next().ok_or_else(wrong)?;
    let (big_endian, rest) = match order {
        '<' | '=' | '|' => (false, &descr[1..]),
        '>' => (true, &descr[1..]),
        _ => (false, descr),
    };
    if let Some(length) =
        rest.strip_prefix('U').and_then(|n| n.parse::<u32>().ok()).filter(|_| shape.is_empty())
    {
        let count = length as usize;
        return Ok(Header { kind: Kind::Text, width: 4, big_endian, fortran: false, shape, count });
    }
    let (kind, width) = match rest {
        "f2" => (Kind::Float, 2),
        "f4" => (Kind::Float, 4),
        "f8" => (Kind::Float, 8),
        "i1" => (Kind::Signed, 1),
        "i2" => (Kind::Signed, 2),
        "i4" => (Kind::Signed, 4),
        "i8" => (Kind::Signed, 8),
        "u1" => (Kind::Unsigned, 1),
        "u2" => (Kind::Unsigned, 2),
        "u4" => (Kind::Unsigned, 4),
        "u8" => (Kind::Unsigned, 8),
        "b1" | "?" => (Kind::Bool, 1),
        _ => return Err(wrong()),
    };
    if shape.len() > MOST_DIMENSIONS {
        return Err(format!("has {} dimensions: expected at most {MOST_DIMENSIONS}", shape.len()));
    }
    let count = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    match count.and_then(|n| n.checked_mul(8).map(|_| n)) {
        Some(count) => Ok(Header { kind, width, big_endian, fortran, shape, count }),
        None => Err(format!("declares the shape {}: too large for any file", shape_text(&shape))),
    }
}

/// The bytes in front of the values: version 1.0, padded to 64 bytes as numpy does.
pub(super) fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    text.extend(std::iter::repeat_n(' ', length - 1 - text.len()));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(text.bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_exactly() {
        // Values and their bits from IEEE 754: 1, -2, the largest, the smallest, infinity.
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan());
    }

    /// As `numpy.savez(meta_json=json.dumps(...))` writes it.
    #[test]
    fn a_string_of_numpy_is_text() {
        for (descr, big) in [("<U4", false), (">U4", true)] {
            let mut bytes = header(descr, &[]);
            for c in ['{', 'é', '}', '\0'] {
                let point = u32::from(c);
                bytes.extend(if big { point.to_be_bytes() } else { point.to_le_bytes() });
            }
            let source = &mut &bytes[..];
            let (read, _) = Header::read(source).expect("a header");
            assert_eq!((read.bytes(), read.values(source)), (16, Ok(Data::Text("{é}".into()))));
        }
        let list = header("<U4", &[2]);
        let error = Header::read(&mut &list[..]).expect_err("several strings");
        assert!(error.contains("is of type `<U4`: expected numbers"), "{error}");
    }

    #[test]
    fn a_written_header_reads_back() {
        for shape in [&[][..], &[3], &[2, 5], &[1, 2, 3, 4]] {
            let bytes = header("<f8", shape);
            assert_eq!(bytes.len() % 64, 0);
            let (read, length) = Header::read(&mut &bytes[..]).expect("a header");
            assert_eq!((read.shape.as_slice(), length), (shape, bytes.len() as u64));
        }
    }
}
