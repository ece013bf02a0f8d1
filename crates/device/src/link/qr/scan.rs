//! Reading the codes off a PNG image.

use std::io::Cursor;

use thiserror::Error;

/// Most pixels of an image, so that a small file cannot ask for a lot of memory.
const PIXELS_MAX: usize = 100_000_000;

/// Why no codes could be read off an image.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// It is not a PNG that can be read.
    #[error("the image is not a PNG that can be read ({0}); save it as PNG")]
    NotAnImage(String),
    /// It has too many pixels.
    #[error("the image has more than {PIXELS_MAX} pixels; scale it down")]
    TooLarge,
    /// No code was found that can be read.
    #[error("no readable QR code in the image; take a sharper or larger picture")]
    NoCode,
}

/// The texts of all codes in a PNG image, in no particular order.
///
/// # Errors
/// It is no image, or holds no readable code.
pub fn scan(png: &[u8]) -> Result<Vec<String>, ScanError> {
    let mut image = Image::decode(png)?;
    let mut texts = Vec::new();
    // With many codes in one image, corners of different codes are taken for one. So what was read is painted over, until
    // nothing more is found.
    loop {
        let found = image.codes();
        if found.is_empty() {
            break;
        }
        for (text, corners) in found {
            image.paint_over(&corners);
            texts.push(text);
        }
    }
    if texts.is_empty() { Err(ScanError::NoCode) } else { Ok(texts) }
}

/// Grey values, row by row.
struct Image {
    width: usize,
    height: usize,
    luma: Vec<u8>,
}

impl Image {
    fn decode(png: &[u8]) -> Result<Self, ScanError> {
        let unreadable = |error: png::DecodingError| ScanError::NotAnImage(error.to_string());
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(unreadable)?;
        let (width, height) = (reader.info().width as usize, reader.info().height as usize);
        if width.saturating_mul(height) > PIXELS_MAX {
            return Err(ScanError::TooLarge);
        }
        let mut samples = vec![0; reader.output_buffer_size().ok_or(ScanError::TooLarge)?];
        let info = reader.next_frame(&mut samples).map_err(unreadable)?;
        let luma = samples[..info.buffer_size()].chunks_exact(info.color_type.samples()).map(grey).collect();
        Ok(Self { width, height, luma })
    }

    /// The codes that can be read, with their corners.
    fn codes(&self) -> Vec<(String, [rqrr::Point; 4])> {
        let pixel = |x, y| self.luma[y * self.width + x];
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height, pixel);
        let grids = prepared.detect_grids();
        grids.iter().filter_map(|grid| grid.decode().ok().map(|(_, text)| (text, grid.bounds))).collect()
    }

    /// Paints the inside of a convex quadrangle white.
    fn paint_over(&mut self, corners: &[rqrr::Point; 4]) {
        let clamp = |value: i32, end: usize| usize::try_from(value).unwrap_or(0).min(end);
        let span = |axis: fn(&rqrr::Point) -> i32, end| {
            let values = || corners.iter().map(axis);
            clamp(values().min().unwrap_or(0), end)..clamp(values().max().unwrap_or(0).saturating_add(1), end)
        };
        for y in span(|corner| corner.y, self.height) {
            for x in span(|corner| corner.x, self.width) {
                if is_inside(corners, x, y) {
                    self.luma[y * self.width + x] = u8::MAX;
                }
            }
        }
    }
}

/// Whether a pixel lies on the same side of all edges.
fn is_inside(corners: &[rqrr::Point; 4], x: usize, y: usize) -> bool {
    let side = |i: usize| {
        let (from, to) = (corners[i], corners[(i + 1) % 4]);
        (i64::from(to.x) - i64::from(from.x)) * (y as i64 - i64::from(from.y))
            - (i64::from(to.y) - i64::from(from.y)) * (x as i64 - i64::from(from.x))
    };
    (0..4).all(|i| side(i) >= 0) || (0..4).all(|i| side(i) <= 0)
}

/// The grey value of a pixel on white paper.
fn grey(pixel: &[u8]) -> u8 {
    let weighted =
        |red: u8, green: u8, blue: u8| (u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8;
    let on_white = |grey: u32, alpha: u8| (grey * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255;
    let grey = match *pixel {
        [grey] => u32::from(grey),
        [grey, alpha] => on_white(u32::from(grey), alpha),
        [red, green, blue] => weighted(red, green, blue),
        [red, green, blue, alpha] => on_white(weighted(red, green, blue), alpha),
        _ => 255,
    };
    u8::try_from(grey).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::qr::{Density, encode};
    use crate::testing::Random;

    fn with_color(color: png::ColorType, pixel: impl Fn(bool) -> Vec<u8>) -> Vec<u8> {
        let plain = Image::decode(&encode(b"hello", Density::Image).unwrap().to_png()).unwrap();
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, plain.width as u32, plain.height as u32);
        encoder.set_color(color);
        let pixels: Vec<u8> = plain.luma.iter().flat_map(|&grey| pixel(grey < 128)).collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        png
    }

    #[test]
    fn reads_colours_and_transparency() {
        let images = [
            with_color(png::ColorType::Rgb, |dark| if dark { vec![0, 0, 120] } else { vec![250, 240, 230] }),
            with_color(png::ColorType::Rgba, |dark| if dark { vec![0, 0, 0, 255] } else { vec![0, 0, 0, 0] }),
            with_color(png::ColorType::GrayscaleAlpha, |dark| if dark { vec![0, 255] } else { vec![0, 0] }),
        ];
        for image in images {
            assert_eq!(scan(&image).unwrap().len(), 1);
        }
    }

    #[test]
    fn rejects_damaged_files_and_images_without_codes() {
        let png = encode(&[7; 300], Density::Image).unwrap().to_png();
        for end in (0..png.len()).step_by(7) {
            assert!(scan(&png[..end]).is_err(), "cut at {end}");
        }
        let mut random = Random::new(0x5CA4);
        for _ in 0..20 {
            let (width, height) = (1 + random.below(200), 1 + random.below(200));
            let mut pixels = vec![0; (width * height) as usize];
            random.fill(&mut pixels);
            let mut noise = Vec::new();
            let mut encoder = png::Encoder::new(&mut noise, width as u32, height as u32);
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
            assert!(matches!(scan(&noise), Err(ScanError::NoCode)));
        }
    }

    #[test]
    fn rejects_images_that_ask_for_too_much_memory() {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, 60_000, 60_000);
        encoder.set_color(png::ColorType::Grayscale);
        drop(encoder.write_header().unwrap());
        assert!(scan(&png).is_err());
    }
}
