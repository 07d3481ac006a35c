//! Who is connected with whom, as a picture that the server draws.
//!
//! ```text
//! ┌ host ───────────────────────────────────────┐
//! │ ┌ network ───────────────┐                  │
//! │ │ container  container … │──╮               │
//! │ └────────────────────────┘  ├─ container    │   in several networks: outside of them,
//! │ ┌ network ───────────────┐  │  its ports    │   with a line to each
//! │ │ container              │──╯               │
//! └─────────────────────────────────────────────┘
//! ```
//!
//! Everything with a name is a link, in reading order, so that whoever does not see the picture reads
//! a list.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::Tone;

const CHIP_WIDTH: usize = 208;
const CHIP_HEIGHT: usize = 46;
const GAP: usize = 12;
/// A box's line with its name.
const HEAD: usize = 40;
/// Between the boxes and those who are in several of them.
const LINES_WIDTH: usize = 96;
/// Characters of a name that have room.
const MOST_OF_NAME: usize = 24;
const MOST_OF_PORTS: usize = 28;

/// A network, as it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PictureNetwork {
    /// Its name.
    pub name: String,
    /// Its driver and subnets.
    pub detail: String,
    /// Its page.
    pub path: String,
}

/// A container, as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureContainer {
    /// Its name.
    pub name: String,
    /// Its page.
    pub path: String,
    /// What its state means.
    pub tone: Tone,
    /// Its state, in a word.
    pub state: String,
    /// The ports of the host that lead to it, as `8080→80`.
    pub ports: String,
    /// The page of those.
    pub ports_path: String,
    /// Which networks it is in, by their place in the list.
    pub networks: Vec<usize>,
}

/// The picture.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/network_picture.html")]
pub struct NetworkPicture {
    /// What it is.
    title: String,
    /// What is in it, in a sentence.
    summary: String,
    /// The host's name and page.
    host: (String, String),
    width: usize,
    height: usize,
    boxes: Vec<Boxed>,
    /// Those who are in several networks, or in none.
    apart: Vec<Chip>,
    /// The lines between the two, as paths.
    lines: Vec<String>,
}

impl HtmlSafe for NetworkPicture {}

/// A network with those who are in it alone.
#[derive(Debug, Clone)]
struct Boxed {
    network: PictureNetwork,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    chips: Vec<Chip>,
}

/// A container at its place.
#[derive(Debug, Clone)]
struct Chip {
    container: PictureContainer,
    x: usize,
    y: usize,
}

impl NetworkPicture {
    /// Places everything: `title` and `summary` are for whoever does not see it.
    pub fn new(
        (title, summary): (String, String),
        host: (String, String),
        networks: Vec<PictureNetwork>,
        containers: Vec<PictureContainer>,
    ) -> NetworkPicture {
        let (alone, apart): (Vec<_>, Vec<_>) = containers
            .into_iter()
            .partition(|container| container.networks.len() == 1);
        let n_columns = if apart.is_empty() { 4 } else { 3 };
        let width = GAP + n_columns * (CHIP_WIDTH + GAP);
        let mut boxes = Vec::new();
        let mut y = HEAD;
        for (number, network) in networks.into_iter().enumerate() {
            let mine = alone.iter().filter(|one| one.networks[0] == number);
            let boxed = boxed(network, mine.cloned(), (GAP, y, width));
            y += boxed.height + GAP;
            boxes.push(boxed);
        }
        let x = GAP + width + LINES_WIDTH;
        let apart = placed_apart(apart, &boxes, x);
        let lines = apart.iter().flat_map(|chip| lines(chip, &boxes)).collect();
        let end = apart.last().map_or(0, |chip| chip.y + CHIP_HEIGHT + GAP);
        NetworkPicture {
            title,
            summary,
            host,
            width: match apart.is_empty() {
                true => width + 2 * GAP,
                false => x + CHIP_WIDTH + GAP,
            },
            height: y.max(end).max(HEAD + GAP),
            boxes,
            apart,
            lines,
        }
    }

    fn inner_width(&self) -> usize {
        self.width - 1
    }

    fn inner_height(&self) -> usize {
        self.height - 1
    }
}

fn boxed(
    network: PictureNetwork,
    containers: impl Iterator<Item = PictureContainer>,
    (x, y, width): (usize, usize, usize),
) -> Boxed {
    let n_columns = (width - GAP) / (CHIP_WIDTH + GAP);
    let chips: Vec<_> = containers
        .enumerate()
        .map(|(number, container)| Chip {
            container,
            x: x + GAP + number % n_columns * (CHIP_WIDTH + GAP),
            y: y + HEAD + number / n_columns * (CHIP_HEIGHT + GAP),
        })
        .collect();
    Boxed {
        height: HEAD + chips.len().div_ceil(n_columns) * (CHIP_HEIGHT + GAP),
        network,
        x,
        y,
        width,
        chips,
    }
}

/// Places each beside the middle of its networks, or below the one before.
fn placed_apart(containers: Vec<PictureContainer>, boxes: &[Boxed], x: usize) -> Vec<Chip> {
    let middle = |container: &PictureContainer| {
        let mine = container.networks.iter().filter_map(|n| boxes.get(*n));
        let sum: usize = mine.map(|boxed| boxed.y).sum();
        sum / container.networks.len().max(1)
    };
    let mut wanted: Vec<_> = containers
        .into_iter()
        .map(|container| (middle(&container), container))
        .collect();
    wanted.sort_by_key(|(y, _)| *y);
    let mut least = HEAD;
    let placed = wanted.into_iter().map(|(y, container)| {
        let y = y.max(least);
        least = y + CHIP_HEIGHT + GAP;
        Chip { container, x, y }
    });
    placed.collect()
}

fn lines<'a>(chip: &'a Chip, boxes: &'a [Boxed]) -> impl Iterator<Item = String> + 'a {
    let mine = chip.container.networks.iter();
    mine.filter_map(|number| boxes.get(*number)).map(|boxed| {
        let (x, y) = (boxed.x + boxed.width, boxed.y + HEAD / 2);
        let (to_x, to_y) = (chip.x, chip.y + CHIP_HEIGHT / 2);
        let middle = (x + to_x) / 2;
        format!("M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}")
    })
}

impl Boxed {
    fn text_y(&self) -> usize {
        self.y + 25
    }

    /// Where the detail begins: behind the name.
    fn detail_x(&self) -> usize {
        self.x + self.width - GAP
    }

    fn text_x(&self) -> usize {
        self.x + GAP
    }
}

impl Chip {
    fn name(&self) -> String {
        short(&self.container.name, MOST_OF_NAME)
    }

    fn ports(&self) -> String {
        short(&self.container.ports, MOST_OF_PORTS)
    }

    fn tone(&self) -> &'static str {
        self.container.tone.class()
    }

    fn width(&self) -> usize {
        CHIP_WIDTH
    }

    fn height(&self) -> usize {
        CHIP_HEIGHT
    }

    fn dot_x(&self) -> usize {
        self.x + 14
    }

    fn dot_y(&self) -> usize {
        self.y + 15
    }

    fn text_x(&self) -> usize {
        self.x + 26
    }

    fn name_y(&self) -> usize {
        self.y + 20
    }

    fn ports_y(&self) -> usize {
        self.y + 37
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, networks: &[usize]) -> PictureContainer {
        PictureContainer {
            name: name.into(),
            path: "/containers/1".into(),
            tone: Tone::Running,
            state: "running".into(),
            ports: String::new(),
            ports_path: String::new(),
            networks: networks.to_vec(),
        }
    }

    fn picture(n_networks: usize, containers: Vec<PictureContainer>) -> NetworkPicture {
        let words = ("title".into(), "summary".into());
        let networks = vec![PictureNetwork::default(); n_networks];
        NetworkPicture::new(words, ("host".into(), "/".into()), networks, containers)
    }

    /// Every container's box, with what it must not lie over.
    fn all(picture: &NetworkPicture) -> Vec<(usize, usize)> {
        let inside = picture.boxes.iter().flat_map(|boxed| &boxed.chips);
        let chips = inside.chain(&picture.apart);
        chips.map(|chip| (chip.x, chip.y)).collect()
    }

    #[test]
    fn two_hundred_are_all_there_and_none_lies_over_another() {
        let mut containers: Vec<_> = (0..180).map(|n| container("c", &[n % 3])).collect();
        containers.extend((0..20).map(|_| container("p", &[0, 2])));

        let picture = picture(3, containers);

        let all = all(&picture);
        assert_eq!((all.len(), picture.lines.len()), (200, 40));
        for (number, (x, y)) in all.iter().enumerate() {
            assert!(x + CHIP_WIDTH <= picture.width && y + CHIP_HEIGHT <= picture.height);
            for (other_x, other_y) in &all[..number] {
                let is_apart =
                    x.abs_diff(*other_x) >= CHIP_WIDTH || y.abs_diff(*other_y) >= CHIP_HEIGHT;
                assert!(is_apart, "{x} {y} and {other_x} {other_y}");
            }
        }
        for pair in picture.boxes.windows(2) {
            assert!(pair[0].y + pair[0].height < pair[1].y);
        }
    }

    #[test]
    fn nothing_at_all_and_a_number_that_is_none_are_drawn_too() {
        assert!(picture(0, Vec::new()).render().is_ok());
        let drawn = picture(1, vec![container("lost", &[7, 8])]);
        assert!(drawn.lines.is_empty() && drawn.render().is_ok());
    }

    #[test]
    fn a_long_name_is_cut_for_the_eye_and_whole_beside_it() {
        let name = "a".repeat(60);
        let html = picture(1, vec![container(&name, &[0])])
            .render()
            .expect("it is drawn");

        assert!(html.contains(&format!("<title>{name}")), "{html}");
        assert!(html.contains(&format!("{}…", "a".repeat(MOST_OF_NAME - 1))));
    }
}
