//! Claims about figures: each file is opened by a reader that is not ours, or not the writer's.

#[path = "common/xml.rs"]
mod xml;

use basinscope::files::figure::look::{self, Dash, Look, Rgb, okabe_ito, run_look};
use basinscope::files::figure::scale::Scale;
use basinscope::files::figure::{Axis, Figure, Layer, Panel};

/// Every kind of layer on every kind of axis.
fn everything() -> Figure {
    let curve: Vec<(f64, f64)> = (0..2000)
        .map(|i| (f64::from(i), (-f64::from(i) / 300.0).exp() * (1.2 + (f64::from(i) * 0.7).sin())))
        .collect();
    let mut holed = curve.clone();
    holed[500].1 = f64::NAN;
    holed[900].1 = -1.0;
    let band: Vec<_> = curve.iter().step_by(20).map(|(x, y)| (*x, 0.5 * y, 2.0 * y)).collect();
    let loss = Panel {
        title: "Loss <train & test>".into(),
        x: Axis::new("iteration", Scale::Linear),
        y: Axis::new("loss", Scale::Log),
        layers: vec![
            Layer::Band { name: "standard deviation".into(), points: band, color: okabe_ito::BLUE },
            Layer::curve("train", holed, run_look(0)),
            Layer::curve(
                "test",
                curve.iter().map(|(x, y)| (*x, 1.5 * y)).collect(),
                Look { dash: Dash::Dashed, ..run_look(1) },
            ),
            Layer::Moment { name: "rate halved".into(), x: 700.0 },
            Layer::Level {
                name: "chance".into(),
                y: 0.3,
                look: Look::solid(look::GREY).dashed(Dash::Dotted),
            },
        ],
        note: "Here it is a guide only: mini-batch.".into(),
    };
    let signed = Panel {
        title: "Curvature".into(),
        x: Axis { falling: true, ..Axis::new("training loss", Scale::Log) },
        y: Axis::new("eigenvalue", Scale::SignedLog { threshold: 0.1 }),
        layers: vec![Layer::curve(
            "lambda_max",
            (1..60).map(|i| (1.0 / f64::from(i), 30.0 * (f64::from(i) / 5.0).sin())).collect(),
            run_look(2),
        )],
        note: String::new(),
    };
    let bars = Panel {
        title: "Sharpness by rule".into(),
        x: Axis::of_names("", vec!["BPTT".into(), "e-prop".into(), "MDGL".into()]),
        y: Axis::new("lambda_max", Scale::Linear),
        layers: vec![
            Layer::Bars {
                name: "mean over 10 seeds".into(),
                bars: vec![(0.0, 3.0, 2.0, 4.0), (1.0, 12.0, 9.0, 15.0), (2.0, 6.0, 6.0, 6.0)],
                width: 0.6,
                color: okabe_ito::SKY_BLUE,
            },
            Layer::Points {
                name: "seeds".into(),
                points: vec![(0.0, 2.5, 2.5, 2.5), (1.0, 14.0, 13.0, 15.0), (2.0, f64::NAN, 0.0, 0.0)],
                look: run_look(1),
            },
        ],
        note: String::new(),
    };
    let (nx, ny) = (21, 15);
    let values = (0..nx * ny)
        .map(|k| {
            let (i, j) = (f64::from(k % nx) - 10.0, f64::from(k / nx) - 7.0);
            if k == 40 { f64::NAN } else { 0.01 + i * i + 3.0 * j * j }
        })
        .collect();
    let heat = Panel {
        title: "Slice".into(),
        x: Axis::new("PC 1, 93 %", Scale::Linear),
        y: Axis::new("PC 2, 4 %", Scale::Linear),
        layers: vec![
            Layer::curve("path", vec![(-9.0, -6.0), (-3.0, 1.0), (0.5, 0.5)], run_look(4)),
            Layer::Heat {
                name: "loss".into(),
                x: (0..nx).map(|i| f64::from(i) - 10.0).collect(),
                y: (0..ny).map(|j| f64::from(j) - 7.0).collect(),
                values,
                scale: Scale::Log,
            },
        ],
        note: String::new(),
    };
    Figure::new("Every kind of layer", vec![loss, signed, bars, heat])
}

#[test]
fn a_png_is_read_by_another_reader_at_its_size_on_paper() {
    let figure = everything();
    let bytes = figure.png().expect("a picture");
    let picture = eframe::icon_data::from_png_bytes(&bytes).expect("a PNG");
    // 178 mm at 300 dots per inch; two rows of 65 mm and 18 points of title.
    assert_eq!((picture.width, picture.height), (2102, 1610));
    let pixels: Vec<&[u8]> = picture.rgba.chunks_exact(4).collect();
    assert_eq!(pixels[0], [255, 255, 255, 255], "the background is white");
    let ink = pixels.iter().filter(|p| p[..3] != [255, 255, 255]).count() as f64 / pixels.len() as f64;
    assert!((0.05..0.6).contains(&ink), "{ink} of the picture is not white");
    let has = |color: Rgb| pixels.iter().filter(|p| p[..3] == color).count() > 50;
    assert!(has(okabe_ito::BLUE) && has(okabe_ito::VERMILION) && has(okabe_ito::GREEN) && has(look::BLACK));
    let at = bytes.windows(4).position(|w| w == b"pHYs").expect("the size on paper") + 4;
    assert_eq!(bytes[at..at + 9], [0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1], "11811 dots a metre");
}

#[test]
fn an_svg_is_well_formed_and_says_what_is_drawn() {
    let text = everything().svg().expect("a picture");
    let elements = xml::elements(&text).expect("well-formed");
    assert_eq!(elements.iter().filter(|name| *name == "svg").count(), 1);
    assert!(elements.iter().filter(|name| *name == "polyline").count() > 20);
    assert!(text.contains("width=\"178.00mm\""));
    for word in
        ["Loss &lt;train &amp; test&gt;", "train (1 not finite, 1 at or below 0)", "e-prop", "PC 2, 4 %"]
    {
        assert!(text.contains(word), "{word} is missing");
    }
}

#[test]
fn cells_of_both_signs_are_squares_in_colours_of_both_signs() {
    let axis = |range| Axis { range, ..Axis::new("", Scale::Linear) };
    let panel = Panel {
        x: axis(Some((-0.5, 1.5))),
        y: Axis { falling: true, unit_as_across: true, ..axis(Some((-0.5, 1.5))) },
        layers: vec![Layer::Signed {
            name: String::new(),
            x: vec![0.0, 1.0],
            y: vec![0.0, 1.0],
            values: vec![-3.0, 0.0, f64::NAN, 3.0],
        }],
        ..Panel::default()
    };
    let figure = Figure { width: 100.0, panel_height: 60.0, ..Figure::new("", vec![panel]) };
    let picture = eframe::icon_data::from_png_bytes(&figure.png().expect("a picture")).expect("a PNG");
    let at = |x: u32, y: u32| &picture.rgba[4 * (y * picture.width + x) as usize..][..3];
    // Left of the colour bar, which stands beyond a square nearly as high as the panel.
    let extent = |color: Rgb| {
        let points = (0..picture.height).flat_map(|y| (0..picture.height * 4 / 5).map(move |x| (x, y)));
        let own: Vec<_> = points.filter(|(x, y)| at(*x, *y) == color).collect();
        let of = |place: fn(&(u32, u32)) -> u32| {
            let all = || own.iter().map(place);
            (all().min().expect("this colour"), all().max().expect("this colour"))
        };
        (of(|p| p.0), of(|p| p.1))
    };
    let (blue, orange) = (extent(okabe_ito::BLUE), extent(okabe_ito::VERMILION));
    let (width, height) = (blue.0.1 - blue.0.0, blue.1.1 - blue.1.0);
    // A frame takes some dots of either side.
    assert!(width.abs_diff(height) <= 4 && width > 200, "{width} by {height} dots are no square");
    assert!(
        orange.1.0 >= blue.1.1 && orange.0.0 >= blue.0.1,
        "row 1 lies below row 0, column 1 to the right"
    );
}

#[test]
fn nothing_to_draw_is_still_a_picture() {
    let empty = Figure::new("", vec![Panel::default()]);
    assert!(empty.svg().is_ok() && empty.png().is_ok());
    let nan = Layer::curve("nan", vec![(f64::NAN, 1.0), (1.0, f64::INFINITY)], run_look(0));
    let one = Figure::new("", vec![Panel { layers: vec![nan], ..Panel::default() }]);
    assert!(one.svg().expect("a picture").contains("nan (1 not finite)"));
    let none = Figure { panels: Vec::new(), ..everything() };
    assert!(none.svg().is_ok());
    let large = Figure { width: 1e7, ..everything() };
    assert!(large.png().is_err());
}

#[test]
fn the_ending_of_the_path_says_which_picture_is_written() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for name in ["figure.png", "figure.SVG"] {
        everything().write(&folder.join(name)).expect("a picture");
        assert!(std::fs::metadata(folder.join(name)).expect("a file").len() > 10_000);
    }
    let error = everything().write(&folder.join("figure.gif")).unwrap_err().to_string();
    assert!(error.contains("figure.gif") && error.contains(".png or .svg"), "{error}");
}
