//! A small reader of npz files, for tests only and independent of the program's own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ndarray::{Array, ArrayD, Dimension, IxDyn};

/// A member of an npz file: every number as f64 (exact for the integers that occur).
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Shape, [] for a single number.
    pub shape: Vec<usize>,
    /// All values, row-major.
    pub values: Vec<f64>,
}

impl Member {
    /// The only value.
    pub fn scalar(&self) -> f64 {
        assert_eq!(self.values.len(), 1, "one value expected, shape {:?}", self.shape);
        self.values[0]
    }

    /// As an array of a fixed number of dimensions.
    pub fn array<D: Dimension>(&self) -> Array<f64, D> {
        let array =
            ArrayD::from_shape_vec(IxDyn(&self.shape), self.values.clone()).expect("shape fits values");
        array.into_dimensionality().expect("as many dimensions as expected")
    }

    /// As whole numbers.
    pub fn integers(&self) -> Vec<i64> {
        self.values.iter().map(|v| *v as i64).collect()
    }

    /// As UTF-8 text (`meta_json`).
    pub fn text(&self) -> String {
        String::from_utf8(self.values.iter().map(|v| *v as u8).collect()).expect("UTF-8")
    }
}

/// The path of a file of tests/reference.
pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
}

/// All members of an npz file by name, without `.npy`.
pub fn load(path: impl AsRef<Path>) -> BTreeMap<String, Member> {
    let file = File::open(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()));
    let mut archive = zip::ZipArchive::new(file).expect("a zip archive");
    (0..archive.len())
        .map(|i| {
            let mut member = archive.by_index(i).expect("a member");
            let name = member.name().expect("a UTF-8 name").trim_end_matches(".npy").to_owned();
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("a whole member");
            let parsed = parse(&bytes);
            (name, parsed)
        })
        .collect()
}

/// Reads one .npy file (little-endian, row-major).
fn parse(bytes: &[u8]) -> Member {
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let (length, start) = match bytes[6] {
        1 => (usize::from(u16::from_le_bytes([bytes[8], bytes[9]])), 10),
        _ => (u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")) as usize, 12),
    };
    let header = std::str::from_utf8(&bytes[start..start + length]).expect("an ASCII header");
    assert!(header.contains("'fortran_order': False"), "{header}");
    let after = |key: &str| header.split(key).nth(1).unwrap_or_else(|| panic!("{key} in {header}"));
    let kind = after("'descr':").split('\'').nth(1).expect("a type");
    let inside = after("'shape':").split(['(', ')']).nth(1).expect("a shape");
    let shape: Vec<usize> = inside
        .split(',')
        .filter(|s| !s.trim().is_empty())
        .map(|s| s.trim().parse().expect("a size"))
        .collect();
    let data = &bytes[start + length..];
    macro_rules! numbers {
        ($t:ty) => {
            data.chunks_exact(size_of::<$t>())
                .map(|b| <$t>::from_le_bytes(b.try_into().expect("whole numbers")) as f64)
                .collect()
        };
    }
    let values: Vec<f64> = match kind {
        "<f8" => numbers!(f64),
        "<f4" => numbers!(f32),
        "<i8" => numbers!(i64),
        "<i4" => numbers!(i32),
        "|i1" => numbers!(i8),
        "|u1" => numbers!(u8),
        other => panic!("type {other} is not expected in a reference file"),
    };
    assert_eq!(values.len(), shape.iter().product::<usize>());
    Member { shape, values }
}
