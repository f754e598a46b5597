//! TFRecord framing: how messages lie one after another in an event file.
//!
//! A record is `length: u64 LE`, `masked_crc(length): u32 LE`, the message, `masked_crc(message): u32 LE`.

/// Appends `message` to `out` as one record.
pub fn append(out: &mut Vec<u8>, message: &[u8]) {
    let length = (message.len() as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked_crc(&length).to_le_bytes());
    out.extend_from_slice(message);
    out.extend_from_slice(&masked_crc(message).to_le_bytes());
}

/// rotate_right(crc32c, 15) + 0xa282ead8: a checksum that may itself lie inside checksummed data.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78).
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ TABLE[(crc as u8 ^ byte) as usize])
}

/// The effect of each low byte on the checksum.
static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, appendix B.4, and the usual check value.
    #[test]
    fn crc_matches_published_vectors() {
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&ascending), 0x46dd_794e);
        assert_eq!(crc32c(&descending), 0x113f_db5c);
    }

    #[test]
    fn a_record_is_length_message_and_their_checksums() {
        let mut out = b"before".to_vec();
        append(&mut out, &[7; 24]);
        // Every event file that TensorFlow writes starts with these twelve bytes.
        let header = [24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22];
        assert_eq!(out[..6], *b"before");
        assert_eq!(out[6..18], header);
        assert_eq!(out[18..42], [7; 24]);
        assert_eq!(out[42..], masked_crc(&[7; 24]).to_le_bytes());
    }

    #[test]
    fn an_empty_message_is_a_record_too() {
        let mut out = Vec::new();
        append(&mut out, b"");
        assert_eq!(out.len(), 16);
        assert_eq!(out[12..], 0xa282_ead8_u32.to_le_bytes());
    }
}
