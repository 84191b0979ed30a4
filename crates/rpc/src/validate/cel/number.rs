//! Arithmetic that fails where a result has no place, and the order of numbers of different types.

use std::cmp::Ordering;

use super::Failure;

/// A whole number of the language: int or uint.
pub trait Whole: Copy + PartialEq + sealed::Whole {}

impl Whole for i64 {}
impl Whole for u64 {}

mod sealed {
    pub trait Whole: Sized {
        const ZERO: Self;
        fn plus(self, other: Self) -> Option<Self>;
        fn minus(self, other: Self) -> Option<Self>;
        fn times(self, other: Self) -> Option<Self>;
        fn over(self, other: Self) -> Option<Self>;
        fn modulo(self, other: Self) -> Option<Self>;
    }

    macro_rules! whole {
        ($($number:ty),+) => {$(
            impl Whole for $number {
                const ZERO: Self = 0;
                fn plus(self, other: Self) -> Option<Self> {
                    self.checked_add(other)
                }
                fn minus(self, other: Self) -> Option<Self> {
                    self.checked_sub(other)
                }
                fn times(self, other: Self) -> Option<Self> {
                    self.checked_mul(other)
                }
                fn over(self, other: Self) -> Option<Self> {
                    self.checked_div(other)
                }
                fn modulo(self, other: Self) -> Option<Self> {
                    self.checked_rem(other)
                }
            }
        )+};
    }

    whole!(i64, u64);
}

/// `a + b`.
///
/// # Errors
/// [`Failure::Overflow`].
pub fn add<N: Whole>(a: N, b: N) -> Result<N, Failure> {
    a.plus(b).ok_or(Failure::Overflow)
}

/// `a - b`.
///
/// # Errors
/// [`Failure::Overflow`].
pub fn subtract<N: Whole>(a: N, b: N) -> Result<N, Failure> {
    a.minus(b).ok_or(Failure::Overflow)
}

/// `a * b`.
///
/// # Errors
/// [`Failure::Overflow`].
pub fn multiply<N: Whole>(a: N, b: N) -> Result<N, Failure> {
    a.times(b).ok_or(Failure::Overflow)
}

/// `a / b`, towards zero.
///
/// # Errors
/// [`Failure::DivisionByZero`], [`Failure::Overflow`].
pub fn divide<N: Whole>(a: N, b: N) -> Result<N, Failure> {
    if b == N::ZERO {
        return Err(Failure::DivisionByZero);
    }
    a.over(b).ok_or(Failure::Overflow)
}

/// What `a / b` leaves, with the sign of `a`.
///
/// # Errors
/// [`Failure::DivisionByZero`], [`Failure::Overflow`].
pub fn remainder<N: Whole>(a: N, b: N) -> Result<N, Failure> {
    if b == N::ZERO {
        return Err(Failure::DivisionByZero);
    }
    a.modulo(b).ok_or(Failure::Overflow)
}

/// `-a`.
///
/// # Errors
/// [`Failure::Overflow`].
pub fn negative(a: i64) -> Result<i64, Failure> {
    a.checked_neg().ok_or(Failure::Overflow)
}

/// How a whole number, an int or a uint, compares with a double, exactly; `None` if that is no number.
pub fn order(whole: i128, double: f64) -> Option<Ordering> {
    const LIMIT: f64 = 36_893_488_147_419_103_232.0; // 2^65, above every int and uint
    if double.is_nan() {
        return None;
    }
    if double >= LIMIT {
        return Some(Ordering::Less);
    }
    if double <= -LIMIT {
        return Some(Ordering::Greater);
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is whole, and within the limits"
    )]
    let floor = double.floor() as i128;
    Some(whole.cmp(&floor).then(if double > double.floor() {
        Ordering::Less
    } else {
        Ordering::Equal
    }))
}

/// Whether `double` is infinite, with the sign of `sign`; with either, if that is 0.
pub fn is_infinite(double: f64, sign: i64) -> bool {
    double.is_infinite() && (sign == 0 || (double > 0.0) == (sign > 0))
}
