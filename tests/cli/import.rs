//! `ff data import`: what people have becomes what `--dataset idx:DIR` reads.

use std::fs;
use std::io::BufWriter;

use crate::place::Place;

/// Pictures of 8×8 with a bright half, 20 of each class; black on white if `inverted`.
fn write_pictures(place: &Place, folder: &str, inverted: bool) {
    for (class, name) in ["left", "right"].into_iter().enumerate() {
        fs::create_dir_all(place.at(&format!("{folder}/{name}"))).unwrap();
        for number in 0..20u8 {
            let pixel = |column: usize| if column / 4 == class { 200 + number } else { number / 2 };
            let pixels: Vec<u8> =
                (0..64).map(|i| pixel(i % 8)).map(|v| if inverted { 255 - v } else { v }).collect();
            let path = place.at(&format!("{folder}/{name}/{number:02}.png"));
            let mut encoder = png::Encoder::new(BufWriter::new(fs::File::create(path).unwrap()), 8, 8);
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        }
    }
}

#[test]
fn class_folders_are_trained_on_by_name() {
    let place = Place::new();
    write_pictures(&place, "photos", true);
    let report = place.json("data import photos set --invert --json");
    assert_eq!(report["class_names"], serde_json::json!(["left", "right"]));
    assert_eq!((&report["train"]["count"], &report["test"]["count"]), (&32.into(), &8.into()));
    // Two neighbouring numbers share the dark half, not the bright one.
    assert_eq!(report["duplicates"]["test_in_train"], 0);
    assert_eq!(place.json("data info idx:set --json")["sha256"], report["sha256"]);
    assert_eq!(place.read("set/classes.txt"), "left\nright\n");
    let trained =
        place.done("train 16 16 --dataset idx:set --num-epochs 8 --batch-size 8 --backend cpu --log-dir run");
    assert!(trained.stdout.contains(" %  left\n"), "{}", trained.stdout);
    let found = place.json("predict run photos/right/03.png --invert --json");
    assert_eq!((&found[0]["label"], &found[0]["class"]), (&1.into(), &"right".into()));
    assert_eq!(place.json("eval run --json")["class_names"], report["class_names"]);
    for figure in ["confusion_matrix", "predictions"] {
        assert!(place.at(&format!("run/figures/{figure}.png")).exists());
    }
}

#[test]
fn tables_say_what_was_made() {
    let place = Place::new();
    let rows: String = (0..10).map(|row| format!("{},{},0,0,255\n", ["b", "a"][row % 2], row / 4)).collect();
    place.write("t.csv", format!("label,p0,p1,p2,p3\n{rows}"));
    let told = place.done("data import t.csv made/here").stdout;
    for part in ["2×2 pixels, 2 classes", "classes  a, b", "duplicates  ", "train on it with --dataset idx:/"]
    {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(fs::read_dir(place.at("made")).unwrap().count(), 1);
}

#[test]
fn nothing_is_written_for_what_cannot_be_read() {
    let place = Place::new();
    write_pictures(&place, "photos", false);
    place.write("photos/left/broken.png", b"\x89PNG\r\n\x1a\n");
    place.write("x.csv", "0,1,2\n1,3,4\n");
    fs::create_dir(place.at("taken")).unwrap();
    place.write("taken/notes", "mine");
    for (line, part) in [
        ("data import photos made", "broken.png: not a readable PNG"),
        ("data import x.csv made", "2 pixels a row; --size HxW"),
        ("data import x.csv made --size 1x3", "2 pixels a row"),
        ("data import x.csv made --size 28", "HEIGHTxWIDTH"),
        ("data import x.csv made --size 1x2 --fit", "is no folder of pictures"),
        ("data import nowhere made", "nowhere: "),
        ("data import photos taken", "taken: is not empty"),
        ("data import photos ~nobody/x", "./~nobody/x"),
    ] {
        let message = place.refused(line);
        assert!(message.contains(part), "{message}");
    }
}
