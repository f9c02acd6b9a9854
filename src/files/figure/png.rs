//! Owns the bytes of a PNG file: an RGB picture of 8 bits with its size on paper.
//!
//! Source: PNG specification (third edition, W3C 2025).

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// A picture that is `finer` times as wide and high, averaged over its blocks; RGB, row by row.
pub(super) fn averaged(pixels: &[u8], width: usize, height: usize, finer: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 * width * height);
    let row = 3 * finer * width;
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let at = |i: usize, j: usize| pixels[(y * finer + i) * row + 3 * (x * finer + j) + channel];
                let sum: usize = (0..finer * finer).map(|k| usize::from(at(k / finer, k % finer))).sum();
                out.push(((sum + finer * finer / 2) / (finer * finer)) as u8);
            }
        }
    }
    out
}

/// The file of an RGB picture of `width` by `height`.
pub(super) fn encode(pixels: &[u8], width: usize, height: usize, dpi: f64) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    // 8 bits, RGB, deflate, the five filters, not interlaced.
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    let per_metre = (dpi / 0.0254).round() as u32;
    let mut size = [per_metre.to_be_bytes(), per_metre.to_be_bytes()].concat();
    size.push(1);
    chunk(&mut file, b"pHYs", &size);
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks_exact(3 * width) {
        // Each row begins with its filter: none. Writing to memory does not fail.
        let _ = rows.write_all(&[0]).and_then(|()| rows.write_all(row));
    }
    chunk(&mut file, b"IDAT", &rows.finish().unwrap_or_default());
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    file.extend(kind);
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}
