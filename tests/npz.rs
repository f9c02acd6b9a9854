//! The reader and writer of npz files: what numpy writes, what nobody should, and bytes at random.

use std::io::{Cursor, Write};

use basinscope::files::npz::{Array, Data, EXPANSION, FREE_BYTES, Npz, NpzWriter};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

mod common;

#[path = "common/allocations.rs"]
mod allocations;

fn npy(header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(values);
    bytes
}

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).expect("a member");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

fn one(header: &str, values: &[u8]) -> Result<Array, String> {
    let bytes = archive(&[("a.npy", &npy(header, values))], CompressionMethod::Deflated);
    Npz::new(Cursor::new(bytes)).and_then(|mut f| f.read("a")).map_err(|e| e.to_string())
}

fn array(shape: &[usize], data: Data) -> Array {
    Array { shape: shape.into(), data }
}

#[test]
fn every_type_of_number_is_read() {
    let floats = |v: &[f64]| Data::Floats(v.to_vec());
    let whole = |v: &[i64]| Data::Whole(v.to_vec());
    let header = |d: &str| format!("{{'descr': '{d}', 'fortran_order': False, 'shape': (2,), }}\n");
    for (descr, bytes, data) in [
        ("<f8", [1.5f64.to_le_bytes(), (-0.0f64).to_le_bytes()].concat(), floats(&[1.5, -0.0])),
        (">f8", [1.5f64.to_be_bytes(), 1e-300f64.to_be_bytes()].concat(), floats(&[1.5, 1e-300])),
        ("<f4", [0.1f32.to_le_bytes(), 2f32.to_le_bytes()].concat(), floats(&[f64::from(0.1f32), 2.0])),
        (">f4", [0.1f32.to_be_bytes(), 2f32.to_be_bytes()].concat(), floats(&[f64::from(0.1f32), 2.0])),
        ("<f2", vec![0x00, 0x3c, 0x01, 0x00], floats(&[1.0, 2f64.powi(-24)])),
        (">f2", vec![0x3c, 0x00, 0x80, 0x01], floats(&[1.0, -(2f64.powi(-24))])),
        ("<i8", [(-3i64).to_le_bytes(), i64::MAX.to_le_bytes()].concat(), whole(&[-3, i64::MAX])),
        (">i4", [(-3i32).to_be_bytes(), 7i32.to_be_bytes()].concat(), whole(&[-3, 7])),
        ("<i2", [(-3i16).to_le_bytes(), 7i16.to_le_bytes()].concat(), whole(&[-3, 7])),
        ("|i1", vec![0xff, 0x7f], whole(&[-1, 127])),
        ("<u4", [u32::MAX.to_le_bytes(), 7u32.to_le_bytes()].concat(), whole(&[4_294_967_295, 7])),
        (">u2", vec![0xff, 0xfe, 0, 1], whole(&[65534, 1])),
        ("<u8", [7u64.to_le_bytes(), 0u64.to_le_bytes()].concat(), whole(&[7, 0])),
        ("|u1", vec![255, 0], Data::Bytes(vec![255, 0])),
        ("|b1", vec![1, 0], whole(&[1, 0])),
    ] {
        assert_eq!(one(&header(descr), &bytes).expect(descr), array(&[2], data), "{descr}");
    }
    let scalar = one("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", &2.5f64.to_le_bytes());
    assert_eq!(scalar.expect("a number"), array(&[], floats(&[2.5])));
    let empty = one("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }", &[]);
    assert_eq!(empty.expect("nothing"), array(&[0, 3], floats(&[])));
    let quoted =
        one("{\"shape\": (1,), \"fortran_order\": False, \"descr\": \"<f8\"}", &2.5f64.to_le_bytes());
    assert_eq!(quoted.expect("other order, other quotes"), array(&[1], floats(&[2.5])));
}

/// Element (i, j, k) holds 100 i + 10 j + k, written with the first index fastest.
#[test]
fn column_major_arrays_are_turned() {
    let (a, b, c) = (2, 3, 4);
    let value = |i: usize, j: usize, k: usize| (100 * i + 10 * j + k) as f64;
    let mut bytes = Vec::new();
    for k in 0..c {
        for j in 0..b {
            (0..a).for_each(|i| bytes.extend(value(i, j, k).to_le_bytes()));
        }
    }
    let mut expected = Vec::new();
    for i in 0..a {
        for j in 0..b {
            (0..c).for_each(|k| expected.push(value(i, j, k)));
        }
    }
    let read = one("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3, 4), }", &bytes).expect("read");
    assert_eq!(read, array(&[2, 3, 4], Data::Floats(expected)));
}

#[test]
fn files_of_numpy_read_as_by_another_reader() {
    for name in ["case1.npz", "case7.npz", "neurogym_clean.npz"] {
        let path = common::npz::reference(name);
        let mut file = Npz::open(&path).expect(name);
        let expected = common::npz::load(&path);
        assert!(expected.len() > 3 && file.names().count() == expected.len());
        for (member, other) in expected {
            let read = file.read(&member).expect(&member);
            assert_eq!((read.shape, read.data.into_floats()), (other.shape, other.values), "{name} {member}");
        }
    }
}

#[test]
fn what_is_written_is_read_by_both_readers() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.npz");
    let values = [1.0, -0.0, f64::NAN, f64::INFINITY, 5e-324, 1.0 / 3.0];
    let mut writer = NpzWriter::new(std::fs::File::create(&path).expect("a file"));
    writer.floats("f", &[2, 3], &values).expect("written");
    writer.floats("s", &[], &[0.1]).expect("written");
    writer.whole("i", &[1, 2], &[i64::MIN, 3]).expect("written");
    writer.text("t", "grüße").expect("written");
    assert!(writer.floats("wrong", &[2], &[1.0]).is_err(), "a shape that does not fit");
    let mut writer = NpzWriter::new(std::fs::File::create(&path).expect("a file"));
    writer.floats("f", &[2, 3], &values).expect("written");
    writer.floats("s", &[], &[0.1]).expect("written");
    writer.whole("i", &[1, 2], &[i64::MIN, 3]).expect("written");
    writer.text("t", "grüße").expect("written");
    writer.finish().expect("written");

    let mut file = Npz::open(&path).expect("read");
    let Array { shape, data: Data::Floats(read) } = file.read("f").expect("f") else { panic!("floats") };
    assert_eq!(shape, [2, 3]);
    assert!(read.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()), "the same bits");
    assert_eq!(file.number("s").expect("s"), 0.1);
    assert_eq!(file.read("i").expect("i"), array(&[1, 2], Data::Whole(vec![i64::MIN, 3])));
    assert_eq!(file.text("t").expect("t"), "grüße");
    let other = common::npz::load(&path);
    assert_eq!((other["s"].scalar(), other["t"].text()), (0.1, "grüße".into()));
    assert_eq!(other["f"].values[5], 1.0 / 3.0);
}

fn refused(bytes: &[u8], member: &str) -> String {
    let result = Npz::new(Cursor::new(bytes)).and_then(|mut f| f.read(member).map(|_| ()));
    let error = result.expect_err("refused").to_string();
    assert!(!error.contains('\n') && error.len() < 300, "one line: {error}");
    error
}

#[test]
fn what_is_no_npz_file_is_named() {
    let good = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", &[0; 8]);
    let sound = archive(&[("a.npy", &good)], CompressionMethod::Stored);
    assert!(refused(b"", "a").contains("empty"));
    assert!(refused(b"hello, this is no archive at all", "a").contains("not a zip archive"));
    assert!(refused(&good, "a").contains("single .npy array"));
    assert!(refused(&sound[..sound.len() - 1], "a").contains("truncated"));
    assert!(refused(&sound[..40], "a").contains("truncated"));
    assert!(refused(&sound, "b").contains("member `b`: is missing"));
    let twice = archive(&[("a.npy", &good), ("a", &good)], CompressionMethod::Stored);
    assert!(refused(&twice, "a").contains("member `a`: is there twice"));
    for path in ["../a.npy", "/a.npy", "folder/a.npy", "b\\a.npy"] {
        assert!(
            refused(&archive(&[(path, &good)], CompressionMethod::Stored), "a").contains("top level"),
            "{path}"
        );
    }
    let not_npy = archive(&[("a.npy", b"something else")], CompressionMethod::Stored);
    assert!(refused(&not_npy, "a").contains("member `a`: is not a .npy array"));
    let mut locked = sound.clone();
    let entry = locked.windows(4).position(|w| w == b"PK\x01\x02").expect("an entry");
    locked[entry + 8] |= 1;
    assert!(refused(&locked, "a").contains("encrypted"));
    let mut odd = sound.clone();
    odd[entry + 10] = 93;
    assert!(refused(&odd, "a").contains("method 93: expected 0"));
    let mut changed = sound;
    let value = changed.windows(8).position(|w| w == [0; 8]).expect("the value");
    changed[value] ^= 1;
    assert!(refused(&changed, "a").contains("checksum"));
}

#[test]
fn a_header_that_lies_is_named() {
    let header =
        |d: &str, shape: &str| format!("{{'descr': {d}, 'fortran_order': False, 'shape': {shape}, }}");
    for (header, part) in [
        (header("'<f8'", "(2,)"), "declares the shape [2], 16 bytes of values, but has 8"),
        (header("'<f8'", "(9999999999, 9999999999)"), "too large for any file"),
        (header("'<f8'", "(-1,)"), "header is damaged"),
        (header("'|O'", "(1,)"), "pickled objects"),
        (header("'<U3'", "(1,)"), "`<U3`: expected numbers"),
        (header("'<c16'", "(1,)"), "`<c16`: expected numbers"),
        (header("[('a', '<f8')]", "(1,)"), "table of fields"),
        ("{'descr': '<f8'}".into(), "header is damaged"),
        ("no dictionary".into(), "header is damaged"),
    ] {
        let error = one(&header, &[0; 8]).expect_err(&header);
        assert!(error.starts_with("member `a`") && error.contains(part), "{header}: {error}");
    }
    let big = one("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", &[0xff; 8]);
    assert!(big.expect_err("too large").contains("18446744073709551615"));
}

/// 1 GB of zeros in a file of 1 MB: refused from its header, without its memory.
#[test]
fn a_bomb_takes_no_memory() {
    let n = 1 << 27;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(true);
    zip.start_file("a.npy", options).expect("a member");
    let header = npy(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n},), }}"), &[]);
    zip.write_all(&header).expect("written");
    let zeros = vec![0; 1 << 20];
    (0..(8 * n) >> 20).for_each(|_| zip.write_all(&zeros).expect("written"));
    let bytes = zip.finish().expect("an archive").into_inner();
    assert!(bytes.len() < 3 << 20);
    let (error, held) = allocations::peak(|| refused(&bytes, "a"));
    assert!(error.contains("more than a file of this size can justify"), "{error}");
    assert!(held < 1 << 20, "{held} bytes");
}

/// Fields of the zip directory that promise exabytes cost nothing.
#[test]
fn a_directory_that_lies_takes_no_memory() {
    let good = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", &[0; 8]);
    let sound = archive(&[("a.npy", &good)], CompressionMethod::Stored);
    for at in 0..sound.len() {
        for width in [1, 2, 4, 8] {
            let mut bytes = sound.clone();
            bytes[at..sound.len().min(at + width)].fill(0xff);
            let (_, held) =
                allocations::peak(|| Npz::new(Cursor::new(&bytes)).and_then(|mut f| f.read("a")).is_ok());
            assert!(held < 1 << 20, "byte {at}: {held} bytes");
        }
    }
}

fn limit(bytes: &[u8]) -> usize {
    // Twice, because a growing vector is copied.
    2 * (FREE_BYTES + EXPANSION * bytes.len() as u64) as usize
}

fn read_all(bytes: &[u8]) {
    let (_, held) = allocations::peak(|| {
        if let Ok(mut file) = Npz::new(Cursor::new(bytes)) {
            for name in file.names().map(str::to_owned).collect::<Vec<_>>() {
                let _ = file.read(&name);
            }
        }
    });
    assert!(held <= limit(bytes), "{held} bytes for a file of {}", bytes.len());
}

proptest! {
    /// Bytes at random, and bytes at random behind the beginning or in front of the end of an archive.
    #[test]
    fn any_bytes_are_answered(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&noise);
        read_all(&[&b"PK\x03\x04"[..], &noise].concat());
        let end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0";
        read_all(&[&noise[..], &end[..], &noise[..noise.len().min(8)], &[0; 2]].concat());
    }

    /// A sound file with some bytes changed, cut or doubled.
    #[test]
    fn altered_files_are_answered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        deflate in any::<bool>(),
        shorten in any::<bool>(),
    ) {
        let header = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }";
        let (a, b) = (npy(header, &[7; 32]), npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", &[1; 3]));
        let method = if deflate { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let mut bytes = archive(&[("a.npy", &a), ("b.npy", &b)], method);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_all(&bytes);
    }

    /// Any array that is written reads back with the same bits.
    #[test]
    fn any_array_survives(rows in 0usize..5, columns in 0usize..5, seed in any::<u64>()) {
        let values: Vec<f64> =
            (0..rows * columns).map(|i| f64::from_bits(seed.wrapping_mul(i as u64 * 2 + 1))).collect();
        let mut file = Cursor::new(Vec::new());
        let mut writer = NpzWriter::new(&mut file);
        writer.floats("a", &[rows, columns], &values).expect("written");
        writer.finish().expect("written");
        let read = Npz::new(file).and_then(|mut f| f.floats("a", &[rows, columns], "[rows, columns]"));
        let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&read.expect("read")), bits(&values));
    }
}
