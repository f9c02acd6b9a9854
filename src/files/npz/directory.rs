//! Owns reading the directory of a zip archive (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16): the end record,
//! the central directory, zip64. Nothing is allocated on the word of a field alone.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use super::NpzError;

/// Bytes of the end record without its comment.
const END: usize = 22;
/// Bytes of the zip64 locator in front of it.
const LOCATOR: usize = 20;
/// Bytes of the fixed part of a directory entry.
const ENTRY: usize = 46;
/// Bytes of the fixed part of a local header.
const LOCAL: usize = 30;
/// Largest directory that is read: over 50,000 members.
const MOST_DIRECTORY: u64 = 8 << 20;

/// Where a member stands in the file, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub deflated: bool,
    pub crc: u32,
    pub compressed: u64,
    pub uncompressed: u64,
    header: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 2).map_or(0, |b| u64::from(u16::from_le_bytes([b[0], b[1]])))
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

fn read_at<R: Read + Seek>(file: &mut R, at: u64, n: usize) -> Result<Vec<u8>, NpzError> {
    let io = |e: std::io::Error| NpzError::Io(crate::files::atomic::reason(&e));
    file.seek(SeekFrom::Start(at)).map_err(io)?;
    let mut bytes = Vec::with_capacity(n.min(1 << 16));
    file.take(n as u64).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() == n { Ok(bytes) } else { Err(cut_off()) }
}

fn cut_off() -> NpzError {
    NpzError::archive("the file ends in the middle: it is truncated or damaged")
}

fn damaged(what: &str) -> NpzError {
    NpzError::archive(format!("the zip directory is damaged: {what}"))
}

/// The members of an archive of `length` bytes by name, without `.npy`.
pub(super) fn members<R: Read + Seek>(
    file: &mut R,
    length: u64,
) -> Result<BTreeMap<String, Entry>, NpzError> {
    let (start, size, count) = locate(file, length)?;
    let fits = start.checked_add(size).is_some_and(|end| end <= length);
    if !fits || size > MOST_DIRECTORY || count > size / ENTRY as u64 {
        return Err(damaged("its size does not fit the file"));
    }
    let bytes = read_at(file, start, size as usize)?;
    let mut members = BTreeMap::new();
    let mut at = 0;
    for _ in 0..count {
        let (name, entry, next) = entry(&bytes, at, start)?;
        at = next;
        if members.insert(name.clone(), entry).is_some() {
            return Err(NpzError::member(&name, "is there twice: expected each name once"));
        }
    }
    Ok(members)
}

/// Start, size and number of entries of the central directory.
fn locate<R: Read + Seek>(file: &mut R, length: u64) -> Result<(u64, u64, u64), NpzError> {
    let tail_length = length.min((END + LOCATOR + 0xffff) as u64) as usize;
    let tail = read_at(file, length - tail_length as u64, tail_length)?;
    let is_end = |at: &usize| {
        let comment = u16_at(&tail, at + 20) as usize;
        tail[*at..].starts_with(b"PK\x05\x06") && at + END + comment == tail.len()
    };
    let Some(end) = (0..(tail.len() + 1).saturating_sub(END)).rev().find(is_end) else {
        return Err(no_archive(&read_at(file, 0, length.min(8) as usize)?));
    };
    let (disk, count) = (u16_at(&tail, end + 4), u16_at(&tail, end + 10));
    let (size, start) = (u32_at(&tail, end + 12), u32_at(&tail, end + 16));
    if count != 0xffff && size != 0xffff_ffff && start != 0xffff_ffff {
        return if disk == 0 { Ok((start, size, count)) } else { Err(damaged("it spans several disks")) };
    }
    let locator = end.checked_sub(LOCATOR).filter(|at| tail[*at..].starts_with(b"PK\x06\x07"));
    let Some(locator) = locator else { return Ok((start, size, count)) };
    let record = read_at(file, u64_at(&tail, locator + 8), 56)?;
    if !record.starts_with(b"PK\x06\x06") {
        return Err(damaged("its zip64 record is not where it should be"));
    }
    Ok((u64_at(&record, 48), u64_at(&record, 40), u64_at(&record, 32)))
}

fn no_archive(head: &[u8]) -> NpzError {
    NpzError::archive(if head.is_empty() {
        "the file is empty: expected an npz file"
    } else if head.starts_with(b"PK\x03\x04") {
        "the end of the zip archive is missing: the npz file is truncated"
    } else if head.starts_with(b"\x93NUMPY") {
        "a single .npy array: expected an npz file (numpy.savez)"
    } else {
        "not a zip archive: expected an npz file (numpy.savez)"
    })
}

/// One entry: its name, what it says, and where the next begins.
fn entry(bytes: &[u8], at: usize, directory: u64) -> Result<(String, Entry, usize), NpzError> {
    let fixed = bytes.get(at..at + ENTRY).filter(|b| b.starts_with(b"PK\x01\x02"));
    let fixed = fixed.ok_or_else(|| damaged("an entry does not begin where it should"))?;
    let lengths = [28, 30, 32].map(|offset| u16_at(fixed, offset) as usize);
    let name_end = at + ENTRY + lengths[0];
    let extra_end = name_end + lengths[1];
    let next = extra_end + lengths[2];
    let (Some(name), Some(extra)) = (bytes.get(at + ENTRY..name_end), bytes.get(name_end..extra_end)) else {
        return Err(damaged("an entry is cut off"));
    };
    let name = name_of(name)?;
    let wide = zip64_fields(extra);
    let mut wide = wide.iter().copied();
    let mut field = |value: u64| if value == 0xffff_ffff { wide.next().unwrap_or(value) } else { value };
    let uncompressed = field(u32_at(fixed, 24));
    let compressed = field(u32_at(fixed, 20));
    let header = field(u32_at(fixed, 42));
    if u16_at(fixed, 8) & 1 != 0 {
        return Err(NpzError::member(&name, "is encrypted: expected a plain npz file"));
    }
    let deflated = match u16_at(fixed, 10) {
        0 => false,
        8 => true,
        method => {
            let problem = format!("is compressed by zip method {method}: expected 0 (none) or 8 (deflate)");
            return Err(NpzError::member(&name, problem));
        }
    };
    let data = header.checked_add(LOCAL as u64);
    let inside = data.and_then(|d| d.checked_add(compressed)).is_some_and(|end| end <= directory);
    if !inside || (!deflated && compressed != uncompressed) {
        return Err(NpzError::member(&name, "does not fit into the file: it is truncated or damaged"));
    }
    let crc = u32_at(fixed, 16) as u32;
    Ok((name, Entry { deflated, crc, compressed, uncompressed, header }, next))
}

/// The name of an array: UTF-8, at the top level of the archive, without `.npy`.
fn name_of(bytes: &[u8]) -> Result<String, NpzError> {
    let name = std::str::from_utf8(bytes)
        .map_err(|_| NpzError::member(&String::from_utf8_lossy(bytes), "its name is not UTF-8"))?;
    let plain = name.strip_suffix(".npy").unwrap_or(name);
    if plain.is_empty() || plain.contains(['/', '\\', '\0']) || plain.chars().any(char::is_control) {
        return Err(NpzError::member(name, "has a path for a name: expected arrays at the top level"));
    }
    Ok(plain.into())
}

/// The values of the zip64 extra field (id 1).
fn zip64_fields(mut extra: &[u8]) -> Vec<u64> {
    while extra.len() >= 4 {
        let (id, size) = (u16_at(extra, 0), u16_at(extra, 2) as usize);
        let Some(body) = extra.get(4..4 + size) else { break };
        if id == 1 {
            return (0..size / 8).map(|i| u64_at(body, 8 * i)).collect();
        }
        extra = &extra[4 + size..];
    }
    Vec::new()
}

impl Entry {
    /// Where the member's data begins: behind its local header.
    pub(super) fn data_start<R: Read + Seek>(&self, file: &mut R, length: u64) -> Result<u64, NpzError> {
        let local = read_at(file, self.header, LOCAL)?;
        if !local.starts_with(b"PK\x03\x04") {
            return Err(NpzError::archive("its local header is missing: the file is damaged"));
        }
        let start = self.header + LOCAL as u64 + u16_at(&local, 26) + u16_at(&local, 28);
        if start.checked_add(self.compressed).is_some_and(|end| end <= length) {
            Ok(start)
        } else {
            Err(cut_off())
        }
    }
}
