//! Which of many addresses a client uses.

use crate::Address;

/// The fewest addresses that a subset has, whatever size is asked for: with fewer, one failure is felt too much.
pub const SMALLEST: usize = 12;

/// The `size` addresses (at least [`SMALLEST`]) that the client with this `seed` uses, in the order given; all of them when there are no more.
///
/// Rendezvous hashing as in [gRFC A68]: each address has a rank that depends on the seed and on itself alone, and the lowest
/// ranks win. So one set and one seed give the same subset in every process and whatever the order; an address that goes
/// is replaced by one other, one that comes replaces at most one; and over many seeds all addresses are used alike.
///
/// [gRFC A68]: https://github.com/grpc/proposal/blob/master/A68-random-subsetting.md
pub fn subset(addresses: &[Address], seed: u64, size: usize) -> Vec<Address> {
    let size = size.max(SMALLEST);
    if addresses.len() <= size {
        return addresses.to_vec();
    }
    let mut ranked: Vec<(u64, &Address, usize)> = addresses
        .iter()
        .enumerate()
        .map(|(place, address)| (rank(address, seed), address, place))
        .collect();
    ranked.sort_unstable();
    ranked.truncate(size);
    ranked.sort_unstable_by_key(|(_, _, place)| *place);
    ranked
        .into_iter()
        .map(|(_, address, _)| address.clone())
        .collect()
}

/// A hash that is the same everywhere and for ever, which none of the standard library is: FNV-1a over the bytes, started
/// from the seed, then the finalizer of SplitMix64, because the upper bits of FNV hardly move for texts that differ at the end.
fn rank(address: &Address, seed: u64) -> u64 {
    let text = address.to_string();
    let hash = text
        .bytes()
        .fold(mix(seed ^ 0xcbf2_9ce4_8422_2325), |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    mix(hash)
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;

    use super::*;

    fn addresses(count: u8) -> Vec<Address> {
        (0..count)
            .map(|i| Address::Socket(SocketAddr::from(([10, 0, 0, i], 50_051))))
            .collect()
    }

    #[test]
    fn is_the_same_everywhere_and_whatever_the_order() {
        let mut all = addresses(100);
        let first = subset(&all, 7, 12);
        // Written down: another process, another version of Rust, another machine must come to the same.
        let last: Vec<u8> = first
            .iter()
            .filter_map(|a| match a.socket()? {
                SocketAddr::V4(v4) => Some(v4.ip().octets()[3]),
                SocketAddr::V6(_) => None,
            })
            .collect();
        assert_eq!(last, [2, 26, 28, 31, 37, 49, 63, 64, 68, 74, 81, 87]);
        all.reverse();
        let mut again = subset(&all, 7, 12);
        again.reverse();
        assert_eq!(again, first);
    }

    #[test]
    fn keeps_all_of_few_and_never_less_than_twelve() {
        for (count, size, expect) in [
            (0, 32, 0),
            (5, 1, 5),
            (12, 3, 12),
            (50, 3, 12),
            (50, 32, 32),
        ] {
            assert_eq!(
                subset(&addresses(count), 1, size).len(),
                expect,
                "{count} {size}"
            );
        }
    }

    #[test]
    fn one_that_goes_is_replaced_by_one() {
        let all = addresses(100);
        for seed in 0..50 {
            let before = subset(&all, seed, 20);
            for gone in &all {
                let rest: Vec<_> = all.iter().filter(|a| *a != gone).cloned().collect();
                let after = subset(&rest, seed, 20);
                let lost = before.iter().filter(|a| !after.contains(a)).count();
                let expect = usize::from(before.contains(gone));
                assert_eq!(lost, expect, "seed {seed}, without {gone}");
            }
        }
    }

    #[test]
    fn over_many_seeds_all_are_used_alike() {
        let all = addresses(100);
        let mut uses = BTreeMap::new();
        for seed in 0..2_000 {
            for address in subset(&all, seed, 20) {
                *uses.entry(address).or_insert(0_u32) += 1;
            }
        }
        // 400 expected of each, with a standard deviation of 18: five of them either way.
        assert_eq!(uses.len(), all.len());
        for (address, count) in uses {
            assert!((310..=490).contains(&count), "{address}: {count}");
        }
    }
}
