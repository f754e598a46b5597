#![allow(clippy::unwrap_used)]
use super::*;

fn png(color: png::ColorType, depth: png::BitDepth, (width, height): (u32, u32), data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 255, 255]);
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

fn decode(bytes: Vec<u8>) -> Result<Picture, String> {
    let encoded = Encoded::new(Path::new("x"), bytes).map_err(|error| error.to_string())?;
    encoded.decode(1).map_err(|error| error.to_string())
}

fn pixels(color: png::ColorType, data: &[u8]) -> Vec<u8> {
    let width = (data.len() / color.samples()) as u32;
    decode(png(color, png::BitDepth::Eight, (width, 1), data)).unwrap().pixels
}

#[test]
fn every_kind_of_color_is_gray() {
    assert_eq!(pixels(png::ColorType::Grayscale, &[0, 7, 255]), [0, 7, 255]);
    assert_eq!(pixels(png::ColorType::Indexed, &[1, 0]), [255, 0]);
    // 0.299 · 255, 0.587 · 255, 0.114 · 255, each rounded.
    assert_eq!(pixels(png::ColorType::Rgb, &[255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9]), [76, 150, 29, 9]);
    let sixteen = png(png::ColorType::Grayscale, png::BitDepth::Sixteen, (2, 1), &[0, 0, 255, 255]);
    assert_eq!(decode(sixteen).unwrap().pixels, [0, 255]);
}

#[test]
fn transparent_pixels_show_the_page_and_not_their_hidden_color() {
    let alpha = png::ColorType::GrayscaleAlpha;
    // Black strokes of a canvas stand on white, white strokes on black.
    assert_eq!(pixels(alpha, &[0, 255, 0, 0, 0, 128]), [0, 255, 127]);
    assert_eq!(pixels(alpha, &[255, 255, 255, 0, 255, 128]), [255, 0, 128]);
    assert_eq!(pixels(png::ColorType::Rgba, &[0, 0, 0, 255, 200, 9, 9, 0]), [0, 255]);
    assert_eq!(pixels(alpha, &[5, 0, 200, 0]), [0, 0]);
}

#[test]
fn a_palette_that_is_no_list_of_colors_is_refused() {
    let whole = png(png::ColorType::Indexed, png::BitDepth::Eight, (1, 1), &[0]);
    let at = whole.windows(4).position(|window| window == b"PLTE").unwrap();
    for length in [0, 1, 2, 4, 5, 769, 771] {
        let body: Vec<u8> = [b"PLTE".to_vec(), vec![9; length]].concat();
        let crc = crc(&body).to_be_bytes();
        let head = [&whole[..at - 4], &(length as u32).to_be_bytes(), &body, &crc].concat();
        let bytes = [&head, &whole[at + 14..]].concat();
        let message = decode(bytes).unwrap_err();
        assert!(message.contains(&format!("its palette has {length} bytes")), "{message}");
    }
}

/// CRC-32 of a PNG chunk.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn a_claim_of_many_pixels_costs_nothing() {
    for (width, height) in [(30_000, 1), (19_000, 19_000), (u32::MAX >> 1, 1)] {
        let mut bytes = png(png::ColorType::Rgba, png::BitDepth::Eight, (1, 1), &[0; 4]);
        bytes[16..24].copy_from_slice(&[u32::to_be_bytes(width), u32::to_be_bytes(height)].concat());
        let crc = crc(&bytes[12..29]).to_be_bytes();
        bytes[29..33].copy_from_slice(&crc);
        assert!(decode(bytes).unwrap_err().starts_with("x: not a readable PNG: "));
    }
}

#[test]
fn what_is_no_picture_is_told() {
    let message = |bytes: &[u8]| decode(bytes.to_vec()).unwrap_err();
    assert_eq!(message(b"GIF89a"), "x: is no PNG or JPEG picture; it is a GIF picture");
    assert_eq!(message(b""), "x: is no PNG or JPEG picture");
    assert!(message(b"\xff\xd8\xff\xe0garbage").starts_with("x: not a readable JPEG: "));
    let whole = png(png::ColorType::Grayscale, png::BitDepth::Eight, (5, 5), &[7; 25]);
    for length in 4..whole.len() - 12 {
        assert!(message(&whole[..length]).starts_with("x: not a readable PNG: "), "{length}");
    }
}

#[test]
fn fitting_keeps_shape_and_centers_the_mass() {
    // A bar of 40 × 10 in gray on a light page, off center.
    let shape = ImageShape::gray(100, 80);
    let mut pixels = vec![30; shape.pixels()];
    for row in 5..45 {
        pixels[row * 80 + 60..row * 80 + 70].fill(130);
    }
    let fitted = Picture { shape, pixels }.fitted(ImageShape::gray(28, 28));
    let lit: Vec<(usize, usize)> =
        (0..784).filter(|&i| fitted.pixels[i] > 200).map(|i| (i / 28, i % 28)).collect();
    // 20 × 5 pixels about the middle, at full brightness.
    assert_eq!(lit.len(), 100);
    let rows: Vec<usize> = lit.iter().map(|&(row, _)| row).collect();
    assert_eq!((rows.iter().min(), rows.iter().max()), (Some(&4), Some(&23)));
    let columns: Vec<usize> = lit.iter().map(|&(_, column)| column).collect();
    assert!(columns.iter().min() >= Some(&11) && columns.iter().max() <= Some(&16), "{columns:?}");
}

#[test]
fn blank_and_tiny_pictures_are_fitted_too() {
    let small = ImageShape::gray(1, 1);
    let blank = Picture { shape: small, pixels: vec![9] };
    for shape in [small, ImageShape::gray(8, 3)] {
        assert_eq!(blank.fitted(shape).pixels, vec![0; shape.pixels()]);
    }
    let dot = Picture { shape: ImageShape::gray(3, 3), pixels: vec![0, 0, 0, 0, 9, 0, 0, 0, 0] };
    assert_eq!(dot.fitted(small).pixels, [255]);
}
