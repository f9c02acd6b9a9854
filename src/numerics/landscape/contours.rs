//! Owns the lines of equal loss: marching squares, and the levels that are worth a line.

use super::slice::Grid;

/// A line of equal loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Contour {
    /// The loss on it.
    pub level: f64,
    /// Its points (a, b) in order.
    pub points: Vec<[f64; 2]>,
    /// Whether the last point is joined to the first.
    pub is_closed: bool,
}

/// The lines of equal loss of the values on a grid, joined from cell to cell; level by level, each level's in a
/// fixed order.
///
/// Along the edges of a cell the loss is taken as linear. Where opposite corners of a cell are higher than the
/// level and the other two lower, the mean of the four decides which pair is joined. A cell with a corner that
/// is not finite has no lines. A corner at the level counts as higher.
///
/// Source: marching squares (Lorensen and Cline 1987 in the plane).
pub fn contours(grid: &Grid, levels: &[f64]) -> Vec<Contour> {
    let mut lines = Vec::new();
    if grid.a.len() < 2 || grid.b.len() < 2 {
        return lines;
    }
    let mut links = Links::new(grid);
    for level in levels.iter().filter(|level| level.is_finite()) {
        links.find(grid, *level);
        links.join(grid, *level, &mut lines);
    }
    lines
}

/// The edges of the grid that a level crosses, and which crossings are joined. Edges along a come first, [ny,
/// nx-1], then edges along b, [ny-1, nx].
#[derive(Debug)]
struct Links {
    nx: usize,
    along_a: usize,
    /// Up to two neighbours of each edge's crossing.
    neighbours: Vec<[Option<usize>; 2]>,
}

impl Links {
    fn new(grid: &Grid) -> Self {
        let (nx, ny) = (grid.a.len(), grid.b.len());
        let along_a = (nx - 1) * ny;
        Self { nx, along_a, neighbours: vec![[None; 2]; along_a + nx * (ny - 1)] }
    }

    /// Goes through all cells.
    fn find(&mut self, grid: &Grid, level: f64) {
        self.neighbours.fill([None; 2]);
        let nx = self.nx;
        for j in 0..grid.b.len() - 1 {
            for i in 0..nx - 1 {
                let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)].map(|(i, j)| grid.at(i, j));
                if corners.iter().any(|c| !c.is_finite()) {
                    continue;
                }
                let [bottom, top] = [j, j + 1].map(|j| j * (nx - 1) + i);
                let [left, right] = [i, i + 1].map(|i| self.along_a + j * nx + i);
                let is_higher = corners.map(|c| c >= level);
                let middle_is_higher = corners.iter().map(|c| 0.25 * c).sum::<f64>() >= level;
                // Corners 0, 1, 2, 3 run around the cell from (i, j); edges: bottom 0-1, right 1-2, top 2-3,
                // left 3-0. A line cuts off one corner, or runs across.
                match is_higher {
                    [a, b, c, d] if a == c && b == d && a != b => {
                        // A saddle: corners 1 and 3 are cut off where corners 0 and 2 are joined.
                        if middle_is_higher == a {
                            self.link(bottom, right);
                            self.link(top, left);
                        } else {
                            self.link(left, bottom);
                            self.link(right, top);
                        }
                    }
                    [a, b, c, d] if a == b && b == c && c == d => {}
                    [a, b, c, d] if b == c && c == d && a != b => self.link(left, bottom),
                    [a, b, c, d] if a == c && c == d && b != a => self.link(bottom, right),
                    [a, b, c, d] if a == b && b == d && c != a => self.link(right, top),
                    [a, b, c, d] if a == b && b == c && d != a => self.link(top, left),
                    [a, b, _, _] if a == b => self.link(left, right),
                    _ => self.link(bottom, top),
                }
            }
        }
    }

    fn link(&mut self, one: usize, other: usize) {
        for (from, to) in [(one, other), (other, one)] {
            let free = self.neighbours[from].iter_mut().find(|n| n.is_none());
            // An edge has two cells, and no cell uses an edge twice: there is a free place.
            if let Some(free) = free {
                *free = Some(to);
            }
        }
    }

    /// Follows the links: first from the ends of open lines, then around the closed ones.
    fn join(&mut self, grid: &Grid, level: f64, lines: &mut Vec<Contour>) {
        for is_closed in [false, true] {
            for start in 0..self.neighbours.len() {
                let is_start = match self.neighbours[start] {
                    [Some(_), None] => !is_closed,
                    [Some(_), Some(_)] => is_closed,
                    _ => false,
                };
                if !is_start {
                    continue;
                }
                let mut points = self.follow(grid, level, start);
                if is_closed && points.first() == points.last() {
                    points.pop();
                }
                // A corner that is exactly at the level, alone, is no line.
                if points.len() > 1 {
                    lines.push(Contour { level, points, is_closed });
                }
            }
        }
    }

    fn follow(&mut self, grid: &Grid, level: f64, start: usize) -> Vec<[f64; 2]> {
        let mut points = Vec::new();
        let (mut edge, mut from) = (start, None);
        loop {
            let point = self.crossing(grid, level, edge);
            if points.last() != Some(&point) {
                points.push(point);
            }
            let neighbours = std::mem::take(&mut self.neighbours[edge]);
            let ahead = neighbours.into_iter().flatten().find(|n| Some(*n) != from && *n != start);
            match ahead {
                Some(next) => (from, edge) = (Some(edge), next),
                None => return points,
            }
        }
    }

    /// Where the level crosses an edge.
    fn crossing(&self, grid: &Grid, level: f64, edge: usize) -> [f64; 2] {
        let nx = self.nx;
        let (i, j, di, dj) = if edge < self.along_a {
            (edge % (nx - 1), edge / (nx - 1), 1, 0)
        } else {
            ((edge - self.along_a) % nx, (edge - self.along_a) / nx, 0, 1)
        };
        let (low, high) = (grid.at(i, j), grid.at(i + di, j + dj));
        let t = ((level - low) / (high - low)).clamp(0.0, 1.0);
        let mix = |from: f64, to: f64| from + t * (to - from);
        [mix(grid.a[i], grid.a[i + di]), mix(grid.b[j], grid.b[j + dj])]
    }
}
