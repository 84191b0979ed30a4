//! Sets of whole numbers, exactly: what ranges, sets and exceptions accept. Floats, durations and timestamps are whole
//! numbers here, in their order, so one arithmetic serves all.

/// Closed ranges in order, with a gap of one at least between each two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(i128, i128)>);

impl Ranges {
    /// Nothing where `from` is above `to`.
    pub(super) fn between(from: i128, to: i128) -> Self {
        Self::of(vec![(from, to)])
    }

    pub(super) fn points(points: impl IntoIterator<Item = i128>) -> Self {
        Self::of(points.into_iter().map(|point| (point, point)).collect())
    }

    fn of(mut ranges: Vec<(i128, i128)>) -> Self {
        ranges.retain(|(from, to)| from <= to);
        ranges.sort_unstable();
        let mut merged: Vec<(i128, i128)> = Vec::new();
        for (from, to) in ranges {
            match merged.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        Self::of([self.0.as_slice(), &other.0].concat())
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = Vec::new();
        for a in &self.0 {
            both.extend(other.0.iter().map(|b| (a.0.max(b.0), a.1.min(b.1))));
        }
        Self::of(both)
    }

    pub(super) fn without(&self, points: &Self) -> Self {
        let mut left = self.0.clone();
        for (from, to) in &points.0 {
            left = left
                .iter()
                .flat_map(|range| {
                    let below = (range.0, range.1.min(from.saturating_sub(1)));
                    let above = (range.0.max(to.saturating_add(1)), range.1);
                    [below, above]
                })
                .filter(|(from, to)| from <= to)
                .collect();
        }
        Self::of(left)
    }

    pub(super) fn contains(&self, point: i128) -> bool {
        self.0
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&point))
    }

    /// The lowest and the highest.
    pub(super) fn ends(&self) -> Option<(i128, i128)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// Whether all of it is in `other`.
    pub(super) fn within(&self, other: &Self) -> bool {
        self.and(other) == *self
    }
}

/// The place of a float among all of its kind. Both zeros are 0.
pub(super) fn place_of_double(value: f64) -> i128 {
    let magnitude = i128::from(value.abs().to_bits());
    if value.is_sign_negative() {
        -magnitude
    } else {
        magnitude
    }
}

/// As [`place_of_double`].
pub(super) fn place_of_float(value: f32) -> i128 {
    let magnitude = i128::from(value.abs().to_bits());
    if value.is_sign_negative() {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every set of the numbers 0 to 4.
    fn all() -> impl Iterator<Item = (Vec<i128>, Ranges)> {
        (0_u32..32).map(|bits| {
            let points: Vec<i128> = (0..5).filter(|bit| bits >> bit & 1 == 1).collect();
            (points.clone(), Ranges::points(points))
        })
    }

    #[test]
    fn the_arithmetic_is_that_of_sets() {
        for (a, ranges) in all() {
            for (b, others) in all() {
                for point in -1..6 {
                    let (in_a, in_b) = (a.contains(&point), b.contains(&point));
                    assert_eq!(ranges.contains(point), in_a, "{a:?} {point}");
                    let says = |set: Ranges| set.contains(point);
                    assert_eq!(says(ranges.or(&others)), in_a || in_b);
                    assert_eq!(says(ranges.and(&others)), in_a && in_b);
                    assert_eq!(says(ranges.without(&others)), in_a && !in_b);
                }
                let within = a.iter().all(|point| b.contains(point));
                assert_eq!(ranges.within(&others), within, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn floats_are_in_their_order() {
        let doubles = [
            f64::NEG_INFINITY,
            -1.5,
            -0.0,
            f64::MIN_POSITIVE,
            1.5,
            f64::INFINITY,
        ];
        assert!(doubles.is_sorted_by_key(|value| place_of_double(*value)));
        assert_eq!(place_of_double(-0.0), place_of_double(0.0));
        let floats = [f32::NEG_INFINITY, -2.0, 0.0, 2.0, f32::INFINITY];
        assert!(floats.is_sorted_by_key(|value| place_of_float(*value)));
        assert_eq!(place_of_float(-0.0), 0);
    }
}
