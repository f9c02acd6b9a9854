//! The idx reader against files that are sound, damaged, hostile and random; the embedded digits.

#[path = "common/allocations.rs"]
mod allocations;

use std::fs;
use std::io::Write;

use basinscope::files::digits;
use basinscope::files::idx::{self, Idx, IdxError, MOST_BYTES};
use basinscope::numerics::tasks::{Digits, SequentialMnist, TaskData, TaskKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

fn pictures(count: u32, rows: u32, columns: u32, pixels: &[u8]) -> Vec<u8> {
    let words = [0x0803, count, rows, columns];
    words.iter().flat_map(|w| w.to_be_bytes()).chain(pixels.iter().copied()).collect()
}

fn labels(count: u32, labels: &[u8]) -> Vec<u8> {
    [0x0801, count].iter().flat_map(|w| w.to_be_bytes()).chain(labels.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

#[test]
fn sound_files_are_read_packed_or_not() {
    let pixels: Vec<u8> = (0..2 * 3 * 4).collect();
    for bytes in [pictures(2, 3, 4, &pixels), gzip(&pictures(2, 3, 4, &pixels))] {
        let read = idx::pictures(&bytes).expect("sound");
        assert_eq!((read.count, read.rows, read.columns), (2, 3, 4));
        assert_eq!(read.pixels, pixels);
        assert_eq!(idx::labels(&bytes), Err(IdxError::NotLabels));
        assert_eq!(idx::read(&bytes).expect("sound").to_string(), "2 pictures of 3 x 4 pixels");
    }
    for bytes in [labels(3, &[7, 0, 9]), gzip(&labels(3, &[7, 0, 9]))] {
        assert_eq!(idx::labels(&bytes), Ok(vec![7, 0, 9]));
        assert_eq!(idx::pictures(&bytes), Err(IdxError::NotPictures));
        assert_eq!(idx::read(&bytes).expect("sound").to_string(), "3 labels");
    }
}

#[test]
fn each_fault_has_its_own_error() {
    let twelve = [0u8; 12];
    let cases = [
        (vec![], IdxError::Empty),
        (vec![0, 0, 8], IdxError::Header { found: 3, expected: 4 }),
        (vec![0, 0, 8, 2, 0, 0, 0, 1], IdxError::Magic { found: 0x0802 }),
        (b"\x89PNG\r\n\x1a\n".to_vec(), IdxError::Magic { found: 0x8950_4e47 }),
        (pictures(1, 3, 4, &[])[..9].to_vec(), IdxError::Header { found: 9, expected: 16 }),
        (labels(1, &[])[..6].to_vec(), IdxError::Header { found: 6, expected: 8 }),
        (pictures(0, 3, 4, &[]), IdxError::NoneAtAll),
        (labels(0, &[]), IdxError::NoneAtAll),
        (pictures(1, 0, 4, &[]), IdxError::Side { rows: 0, columns: 4 }),
        (pictures(1, 3, 1025, &[]), IdxError::Side { rows: 3, columns: 1025 }),
        (pictures(1, 3, 4, &twelve[..11]), IdxError::Truncated { found: 11, declared: 12 }),
        (pictures(1, 3, 3, &twelve), IdxError::Trailing { declared: 9 }),
        (labels(4, &[1, 2, 3]), IdxError::Truncated { found: 3, declared: 4 }),
        (labels(2, &[1, 2, 3]), IdxError::Trailing { declared: 2 }),
        (labels(3, &[1, 10, 3]), IdxError::Label { place: 1, value: 10 }),
        (labels(u32::MAX, &[1]), IdxError::TooLarge { declared: u64::from(u32::MAX) }),
        (pictures(u32::MAX, 1024, 1024, &[]), IdxError::TooLarge { declared: u64::from(u32::MAX) << 20 }),
    ];
    for (bytes, error) in cases {
        assert_eq!(idx::read(&bytes), Err(error.clone()), "{bytes:02x?}");
        if !bytes.is_empty() {
            assert_eq!(idx::read(&gzip(&bytes)), Err(error), "the same within gzip");
        }
    }
}

#[test]
fn damaged_gzip_files_are_refused() {
    let whole = gzip(&labels(4, &[1, 2, 3, 4]));
    for cut in 2..whole.len() {
        assert!(matches!(idx::read(&whole[..cut]), Err(IdxError::Gzip(_))), "cut at {cut}");
    }
    let mut sum = whole.clone();
    let at = sum.len() - 8;
    sum[at] ^= 1;
    assert!(matches!(idx::read(&sum), Err(IdxError::Gzip(_))), "a wrong check sum");
    let mut tail = whole.clone();
    tail.extend(b"more");
    assert!(matches!(idx::read(&tail), Err(IdxError::Gzip(_))), "bytes after the end");
    // Two members are one file to gzip.
    let mut two = whole;
    two.extend(gzip(&[5]));
    assert_eq!(idx::read(&two), Err(IdxError::Trailing { declared: 4 }));
}

/// 64 MB of zeros in 65 kB. The decoder itself holds some 50 kB.
#[test]
fn a_gzip_bomb_takes_no_more_memory_than_its_header_announces() {
    let mut bytes = pictures(1, 28, 28, &[]);
    bytes.resize(64 << 20, 0);
    let bomb = gzip(&bytes);
    assert!(bomb.len() < 100_000);
    let (read, peak) = allocations::peak(|| idx::read(&bomb));
    assert_eq!(read, Err(IdxError::Trailing { declared: 784 }));
    assert!(peak < 200_000, "{peak} bytes were held");
}

/// The largest header that is believed, with next to nothing behind it.
#[test]
fn a_boastful_header_reserves_nothing() {
    let boast = pictures((MOST_BYTES >> 20) as u32, 1024, 1024, &[1, 2, 3]);
    for bytes in [gzip(&boast), boast] {
        let (read, peak) = allocations::peak(|| idx::read(&bytes));
        assert_eq!(read, Err(IdxError::Truncated { found: 3, declared: MOST_BYTES }));
        assert!(peak < 200_000, "{peak} bytes were held");
    }
}

/// Memory that `bytes` justify: a growing vector is held twice for a moment, at one and at two times its
/// length; the decoder holds a window of 32 kB and its tables.
fn justified(bytes: &[u8]) -> usize {
    let unpacked = if bytes.starts_with(&[0x1f, 0x8b]) { 1032 * bytes.len() } else { bytes.len() };
    200_000 + 3 * unpacked
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    let pictures = (1u32..5, 1u32..6, 1u32..6).prop_flat_map(|(n, r, c)| {
        proptest::collection::vec(any::<u8>(), (n * r * c) as usize).prop_map(move |p| pictures(n, r, c, &p))
    });
    let labels = proptest::collection::vec(0u8..10, 1..40).prop_map(|l| labels(l.len() as u32, &l));
    let raw = prop_oneof![pictures, labels];
    (raw, any::<bool>()).prop_map(|(bytes, packed)| if packed { gzip(&bytes) } else { bytes })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_never_panic_nor_take_memory_they_do_not_justify(
        start in prop_oneof![Just(vec![]), Just(vec![0x1f, 0x8b, 8, 0]), Just(vec![0, 0, 8, 3]), Just(vec![0, 0, 8, 1])],
        rest in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [start, rest].concat();
        let (read, peak) = allocations::peak(|| idx::read(&bytes));
        prop_assert!(peak <= justified(&bytes), "{peak} bytes were held");
        if let Ok(Idx::Labels(labels)) = &read {
            prop_assert!(labels.iter().all(|l| *l < 10));
        }
    }

    #[test]
    fn altered_files_never_panic_nor_take_memory_they_do_not_justify(
        file in files(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        tail in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let mut bytes = file.clone();
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(tail);
        if !bytes.is_empty() {
            changes.iter().for_each(|(at, to)| {
                let at = at.index(bytes.len());
                bytes[at] = *to;
            });
        }
        let (read, peak) = allocations::peak(|| idx::read(&bytes));
        prop_assert!(peak <= justified(&bytes), "{peak} bytes were held");
        prop_assert!(idx::read(&file).is_ok());
        if bytes.len() < file.len() && !file.starts_with(&[0x1f, 0x8b]) && bytes[..] == file[..bytes.len()] {
            prop_assert!(read.is_err(), "a shorter file is truncated");
        }
    }
}

fn embedded() -> (Digits, Digits) {
    match digits::embedded().expect("embedded") {
        TaskData::Digits { train, test } => ((*train).clone(), (*test).clone()),
        other => panic!("digits expected, not {other:?}"),
    }
}

/// Counts, balance and moments that the data's README states.
#[test]
fn the_embedded_digits_are_those_described() {
    let (train, test) = embedded();
    for (digits, count) in [(&train, 6000), (&test, 1000)] {
        assert_eq!((digits.count(), digits.rows(), digits.columns()), (count, 28, 28));
        // Every block of ten holds each digit once; so each occurs count / 10 times.
        for block in digits.labels().chunks(10) {
            let mut block = block.to_vec();
            block.sort_unstable();
            assert_eq!(block, (0..10).collect::<Vec<u8>>());
        }
    }
    let pixels: Vec<f64> =
        (0..train.count()).flat_map(|i| train.picture(i).to_vec()).map(|p| f64::from(p) / 255.0).collect();
    let n = pixels.len() as f64;
    let mean = pixels.iter().sum::<f64>() / n;
    let sd = (pixels.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / n).sqrt();
    // The README gives four digits.
    assert!((mean - 0.1317).abs() < 0.00005, "mean {mean}");
    assert!((sd - 0.3090).abs() < 0.00005, "standard deviation {sd}");
}

/// A picture next to the label it should have: the mean pictures of each class, built on the training part,
/// name most test digits (a nearest class mean reaches 82 % on all of MNIST).
#[test]
fn embedded_pictures_and_labels_go_together() {
    let (train, test) = embedded();
    let mut means = vec![vec![0.0; 784]; 10];
    for i in 0..train.count() {
        let mean = &mut means[usize::from(train.labels()[i])];
        mean.iter_mut().zip(train.picture(i)).for_each(|(m, p)| *m += f64::from(*p) / 600.0);
    }
    let right = (0..test.count())
        .filter(|&i| {
            let far = |mean: &[f64]| -> f64 {
                mean.iter().zip(test.picture(i)).map(|(m, p)| (m - f64::from(*p)).powi(2)).sum()
            };
            let best =
                (0..10).min_by(|a, b| far(&means[*a]).total_cmp(&far(&means[*b]))).expect("ten classes");
            best == usize::from(test.labels()[i])
        })
        .count();
    assert!(right > 750, "{right} of 1000");
}

fn task(images: &str, labels: &str, test_images: &str, test_labels: &str) -> SequentialMnist {
    let [images, labels, test_images, test_labels] =
        [images, labels, test_images, test_labels].map(|p| Some(p.to_owned()));
    SequentialMnist { images, labels, test_images, test_labels, ..SequentialMnist::default() }
}

#[test]
fn the_users_own_files_are_read_packed_or_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let train = put("train", &pictures(2, 2, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    let train_labels = put("train-labels.gz", &gzip(&labels(2, &[3, 5])));
    let test = put("test.gz", &gzip(&pictures(1, 2, 3, &[9; 6])));
    let test_labels = put("test-labels", &labels(1, &[8]));
    let read = digits::for_task(&task(&train, &train_labels, &test, &test_labels)).expect("sound");
    let TaskData::Digits { train: digits, test: tested } = read else { panic!("digits expected") };
    assert_eq!((digits.count(), digits.rows(), digits.columns()), (2, 2, 3));
    assert_eq!(digits.picture(1), [7, 8, 9, 10, 11, 12]);
    assert_eq!((digits.labels(), tested.labels()), (&[3, 5][..], &[8][..]));
    assert_eq!(digits::read(&test_labels).expect("sound"), Idx::Labels(vec![8]));

    // The errors name the file, and what was expected of it.
    let error = |i: &str, l: &str| digits::load(i, l).expect_err("unsound").to_string();
    assert_eq!(
        error(&train, &test_labels),
        format!("{test_labels}: a count of 1: expected 2, as many as pictures in {train}")
    );
    assert_eq!(
        error(&train_labels, &train_labels),
        format!("{train_labels}: these are labels: expected pictures (magic number 0x00000803)")
    );
    assert!(error("no such file", &test_labels).starts_with("no such file: "));
    let directory = dir.path().to_str().expect("UTF-8");
    assert_eq!(error(directory, &test_labels), format!("{directory}: a directory: expected an idx file"));
    let empty = put("empty", b"");
    assert!(error(&train, &empty).ends_with("the file is empty: expected idx pictures or labels"));
    #[cfg(unix)]
    assert_eq!(error("/dev/zero", &empty), "/dev/zero: no regular file: expected an idx file");
    assert!(digits::for_task(&task(&train, &train_labels, &empty, &test_labels)).is_err());
}

/// A file that says it is larger than any data can be is not even opened: this one takes no disk.
#[test]
fn an_enormous_file_is_refused_unread() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("enormous");
    fs::File::create(&path).and_then(|f| f.set_len(1 << 40)).expect("a sparse file");
    let path = path.to_str().expect("UTF-8");
    let (read, peak) = allocations::peak(|| digits::read(path));
    let error = read.expect_err("too large").to_string();
    assert!(error.contains("1099511627776 bytes: expected at most"), "{error}");
    assert!(peak < 10_000, "{peak} bytes were held");
}

#[test]
fn without_files_the_embedded_digits_are_taken() {
    let data = digits::for_task(&SequentialMnist::default()).expect("embedded");
    assert_eq!(data, digits::embedded().expect("embedded"));
    assert_eq!(TaskKind::SequentialMnist.defaults().check(), Ok(()));
}
