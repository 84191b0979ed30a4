//! Internet addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text` is an IP address of this version, 4 or 6; of any for 0, and of none for another number. An IPv6 address may
/// have a zone (RFC 4007): `fe80::1%eth0`.
pub fn is_ip(text: &str, version: i64) -> bool {
    match version {
        0 => is_ip(text, 4) || is_ip(text, 6),
        4 => text.parse::<Ipv4Addr>().is_ok(),
        6 => {
            let (address, zone) = text
                .split_once('%')
                .map_or((text, None), |(address, zone)| (address, Some(zone)));
            zone != Some("") && address.parse::<Ipv6Addr>().is_ok()
        }
        _ => false,
    }
}

/// Whether `text` is an IP address with the length of its prefix: `10.0.0.0/8` (RFC 4632). If strictly, no bit behind the
/// prefix is set. The version is as for [`is_ip`].
pub fn is_ip_prefix(text: &str, version: i64, strict: bool) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let (bits, width) = match version {
        0 => return is_ip_prefix(text, 6, strict) || is_ip_prefix(text, 4, strict),
        // Aligned to the left, so that both are cut in the same way.
        4 => match address.parse::<Ipv4Addr>() {
            Ok(address) => (u128::from(address.to_bits()) << 96, 32),
            Err(_) => return false,
        },
        6 => match address.parse::<Ipv6Addr>() {
            Ok(address) => (address.to_bits(), 128),
            Err(_) => return false,
        },
        _ => return false,
    };
    let decimal =
        length.bytes().all(|b| b.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    let Some(length) = length
        .parse::<u32>()
        .ok()
        .filter(|length| decimal && *length <= width)
    else {
        return false;
    };
    !strict || bits.checked_shl(length).unwrap_or(0) == 0
}
