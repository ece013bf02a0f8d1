//! Codes side by side with the quiet zone that each needs, drawn three ways.

use std::fmt::Write;

use qrcode::{Color, QrCode};

/// White modules around every code, as ISO/IEC 18004 asks for.
const QUIET: usize = 4;

/// Pixels to a module in a PNG.
const SCALE: usize = 4;

/// A sheet of modules, dark or light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    width: usize,
    dark: Vec<bool>,
}

impl Sheet {
    /// Lays codes out in rows of `columns`.
    pub(super) fn lay_out(codes: &[QrCode], columns: usize) -> Self {
        let cell = codes.iter().map(QrCode::width).max().unwrap_or(0) + 2 * QUIET;
        let (width, height) = (cell * columns, cell * codes.len().div_ceil(columns));
        let mut dark = vec![false; width * height];
        for (place, code) in codes.iter().enumerate() {
            let (left, top) = (place % columns * cell + QUIET, place / columns * cell + QUIET);
            for (at, color) in code.to_colors().into_iter().enumerate() {
                let (x, y) = (left + at % code.width(), top + at / code.width());
                dark[y * width + x] = color == Color::Dark;
            }
        }
        Self { width, dark }
    }

    /// Modules from left to right, quiet zones included.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Modules from top to bottom, quiet zones included.
    pub fn height(&self) -> usize {
        self.dark.len() / self.width
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.dark.get(y * self.width + x).copied().unwrap_or(false)
    }

    /// For a terminal: two modules to a character, black on white whatever the terminal's colours are.
    pub fn to_terminal(&self) -> String {
        let mut text = String::new();
        for y in (0..self.height()).step_by(2) {
            text.push_str("\x1b[30;107m");
            text.extend((0..self.width).map(|x| match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            }));
            text.push_str("\x1b[0m\n");
        }
        text
    }

    /// As an SVG document, one unit to a module.
    pub fn to_svg(&self) -> String {
        let (width, height) = (self.width, self.height());
        let mut path = String::new();
        for y in 0..height {
            let mut x = 0;
            while x < width {
                let run = (x..width).take_while(|&x| self.is_dark(x, y)).count();
                if run > 0 {
                    write!(path, "M{x} {y}h{run}v1h-{run}z").expect("writing to a string succeeds");
                }
                x += run.max(1);
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{width}v{height}H0z\"/><path d=\"{path}\"/></svg>\n",
            width * SCALE,
            height * SCALE
        )
    }

    /// As a PNG image, black and white.
    pub fn to_png(&self) -> Vec<u8> {
        let (width, height) = (self.width * SCALE, self.height() * SCALE);
        let mut pixels = Vec::with_capacity(width.div_ceil(8) * height);
        for y in 0..height {
            for left in (0..width).step_by(8) {
                // The first pixel is the highest bit; a bit that is set is white.
                pixels.push(
                    (left..left + 8)
                        .fold(0, |byte, x| byte << 1 | u8::from(x >= width || !self.is_dark(x / SCALE, y / SCALE))),
                );
            }
        }
        let (width, height) = (u32::try_from(width), u32::try_from(height));
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(
            &mut png,
            width.expect("a sheet is a few thousand pixels wide"),
            height.expect("a sheet is a few thousand pixels high"),
        );
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
        written.expect("writing to memory succeeds");
        png
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet::lay_out(&[QrCode::new("A").unwrap(), QrCode::new("B").unwrap(), QrCode::new("C").unwrap()], 2)
    }

    #[test]
    fn every_code_keeps_its_quiet_zone() {
        let sheet = sheet();
        assert_eq!((sheet.width(), sheet.height()), (2 * 29, 2 * 29));
        for (left, top) in [(0, 0), (29, 0), (0, 29)] {
            // The corner of a finder pattern, and nothing before it.
            assert!(sheet.is_dark(left + 4, top + 4));
            assert!(
                (0..29).all(|i| (0..4).all(|j| !sheet.is_dark(left + i, top + j) && !sheet.is_dark(left + j, top + i)))
            );
        }
        assert!((29..58).all(|x| (29..58).all(|y| !sheet.is_dark(x, y))));
    }

    #[test]
    fn terminal_and_svg_draw_the_same_modules() {
        let sheet = sheet();
        let lines: Vec<String> =
            sheet.to_terminal().lines().map(|line| line.replace("\x1b[30;107m", "").replace("\x1b[0m", "")).collect();
        assert_eq!(lines.len(), 29);
        let dark: usize = lines
            .iter()
            .flat_map(|line| line.chars())
            .map(|c| match c {
                '█' => 2,
                ' ' => 0,
                _ => 1,
            })
            .sum();
        let svg = sheet.to_svg();
        let runs: usize = svg.split('h').skip(1).filter_map(|rest| rest.split('v').next()?.parse::<usize>().ok()).sum();
        let expected = sheet.dark.iter().filter(|&&dark| dark).count();
        assert_eq!((dark, runs - sheet.width()), (expected, expected));
    }
}
