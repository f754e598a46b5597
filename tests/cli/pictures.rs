//! `ff predict` for pictures: no data set, any color, folders, standard input.

use std::fs;
use std::io::BufWriter;

use png::ColorType;

use crate::idx::write_set;
use crate::place::{Place, keys};

const SIDE: usize = 12;

/// A network trained on a set that is not there any more.
fn trained() -> Place {
    let place = Place::new();
    write_set(&place.at("set"), SIDE, 4, 200, 40);
    place.write("set/classes.txt", "top\nupper\nlower\nbottom\n");
    place.done("train 24 16 --dataset idx:set --num-epochs 6 --backend cpu --log-dir run");
    fs::rename(place.at("set"), place.at("moved")).unwrap();
    place
}

fn write_png(place: &Place, name: &str, color: ColorType, side: usize, data: &[u8]) {
    let file = BufWriter::new(fs::File::create(place.at(name)).unwrap());
    let mut encoder = png::Encoder::new(file, side as u32, side as u32);
    encoder.set_color(color);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
}

/// The pixels of the first test image.
fn first(place: &Place) -> Vec<u8> {
    place.bytes("moved/t10k-images-idx3-ubyte")[16..16 + SIDE * SIDE].to_vec()
}

#[test]
fn the_checkpoint_knows_all_that_a_prediction_needs() {
    let place = trained();
    let image = first(&place);
    write_png(&place, "one.png", ColorType::Grayscale, SIDE, &image);
    let predictions = place.json("predict run one.png --json --top 2");
    let found = &predictions[0];
    assert_eq!(keys(found), ["image", "label", "class", "scores", "probabilities", "top"]);
    let names = ["top", "upper", "lower", "bottom"];
    let label = found["label"].as_u64().unwrap() as usize;
    assert_eq!(found["class"], names[label]);
    // p(k) = exp(s(k)) / Σ exp(s(j)): the temperature is 1.
    let numbers = |key: &str| -> Vec<f64> {
        found[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let odds: Vec<f64> = numbers("scores").iter().map(|score| (score - numbers("scores")[0]).exp()).collect();
    for (p, odds_of) in numbers("probabilities").iter().zip(&odds) {
        assert!((p - odds_of / odds.iter().sum::<f64>()).abs() < 1e-5, "{found}");
    }
    assert_eq!(found["top"].as_array().unwrap().len(), 2);
    assert_eq!(found["top"][0]["label"], found["label"]);
    let text = place.done("predict run one.png").stdout;
    assert!(text.starts_with(&format!("one.png: {label} {}   p ", names[label])), "{text}");
}

#[test]
fn a_folder_a_gzip_and_standard_input_give_the_same() {
    let place = trained();
    let image = first(&place);
    fs::create_dir_all(place.at("pictures/more")).unwrap();
    write_png(&place, "pictures/more/b.PNG", ColorType::Grayscale, SIDE, &image);
    write_png(&place, "pictures/a.png", ColorType::Grayscale, SIDE, &image);
    place.write("pictures/._a.png", "not a picture");
    place.write("pictures/notes.txt", "neither");
    let found = place.json("predict run pictures --json");
    let names: Vec<&str> =
        found.as_array().unwrap().iter().map(|image| image["image"].as_str().unwrap()).collect();
    assert_eq!(names, ["pictures/a.png", "pictures/more/b.PNG"]);
    assert_eq!(found[0]["scores"], found[1]["scores"]);
    let mut program = assert_cmd::Command::from_std(place.program());
    let piped = program.args(["predict", "run", "-", "--json"]).write_stdin(place.bytes("pictures/a.png"));
    let piped: serde_json::Value = serde_json::from_slice(&piped.output().unwrap().stdout).unwrap();
    assert_eq!((&piped[0]["image"], &piped[0]["scores"]), (&"-".into(), &found[0]["scores"]));
    fs::create_dir(place.at("empty")).unwrap();
    assert!(place.refused("predict run empty").contains("holds no picture"));
}

#[test]
fn ink_stands_out_whatever_lies_behind_it() {
    let place = trained();
    let image = first(&place);
    let ink: Vec<u8> = image.iter().map(|&value| if value > 100 { 255 } else { 0 }).collect();
    let with = |bytes: fn(u8) -> Vec<u8>| ink.iter().flat_map(|&value| bytes(value)).collect::<Vec<_>>();
    write_png(&place, "gray.png", ColorType::Grayscale, SIDE, &ink);
    write_png(&place, "white.png", ColorType::GrayscaleAlpha, SIDE, &with(|value| vec![255, value]));
    write_png(&place, "canvas.png", ColorType::Rgba, SIDE, &with(|value| vec![0, 0, 0, value]));
    write_png(&place, "red.png", ColorType::Rgb, SIDE, &with(|value| vec![value, 0, 0]));
    let scores = |line: &str| place.json(&format!("predict run {line} --json"))[0]["scores"].clone();
    assert_eq!(scores("white.png"), scores("gray.png"));
    assert_eq!(scores("canvas.png --invert"), scores("gray.png"));
    assert_ne!(scores("red.png"), scores("gray.png"));
    let told = place.done("predict run canvas.png").stderr;
    assert!(told.contains("canvas.png: mean pixel") && told.contains("--invert"), "{told}");
    assert_eq!(place.done("predict run gray.png").stderr, "");
}

#[test]
fn pictures_of_another_size_are_refused_or_fitted() {
    let place = trained();
    let mut page = vec![40; 50 * 50];
    for row in 10..30 {
        page[row * 50 + 20..row * 50 + 26].fill(200);
    }
    write_png(&place, "page.png", ColorType::Grayscale, 50, &page);
    let message = place.refused("predict run page.png");
    assert!(
        message.contains("50×50 pixels") && message.contains("12×12") && message.contains("--fit"),
        "{message}"
    );
    assert_eq!(place.json("predict run page.png --fit --json")[0]["scores"].as_array().unwrap().len(), 4);
    assert_eq!(place.done("predict run page.png --fit").stderr, "");
    // Ink on paper: nothing is lighter than the edge, so that nothing is left to fit.
    let paper: Vec<u8> = page.iter().map(|value| 255 - value).collect();
    write_png(&place, "paper.png", ColorType::Grayscale, 50, &paper);
    let told = place.done("predict run paper.png --fit").stderr;
    assert!(told.contains("paper.png: nothing in it is lighter") && told.contains("--invert"), "{told}");
    assert_eq!(place.done("predict run paper.png --fit --invert").stderr, "");
}

#[test]
fn what_is_no_picture_is_named() {
    let place = trained();
    place.write("page.html", "<!doctype html>");
    assert!(
        place
            .refused("predict run page.html")
            .contains("page.html: is no PNG or JPEG picture; it is a web page")
    );
    let mut broken = Vec::new();
    let mut encoder = png::Encoder::new(&mut broken, SIDE as u32, SIDE as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_palette(vec![0; 6]);
    encoder.write_header().unwrap().write_image_data(&[0; SIDE * SIDE]).unwrap();
    // Five of the palette's six bytes: no whole color.
    let at = broken.windows(4).position(|window| window == b"PLTE").unwrap();
    broken[at - 1] = 5;
    broken.remove(at + 9);
    place.write("broken.png", broken);
    assert!(place.refused("predict run broken.png").contains("its palette has 5 bytes"));
    assert!(place.refused("predict run /dev/zero").contains("no regular file"));
}
