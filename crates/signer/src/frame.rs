//! Frames on the signer's socket: a length, u32 big-endian, and so many bytes.

use std::io::{self, Read, Write};

/// No frame is longer: a batch of 256 sessions takes less.
pub(crate) const LENGTH_MAX: usize = 1 << 17;

/// Writes one frame.
pub(crate) fn write(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > LENGTH_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too much for one frame"));
    }
    let length = u32::try_from(bytes.len()).expect("less than 2^17").to_be_bytes();
    output.write_all(&[&length, bytes].concat())?;
    output.flush()
}

/// Reads one frame; `None` where the stream ends before one begins.
pub(crate) fn read(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut first = &mut length[..1];
    while !first.is_empty() {
        match input.read(first) {
            Ok(0) => return Ok(None),
            Ok(_) => first = &mut [],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    input.read_exact(&mut length[1..])?;
    let length = u32::from_be_bytes(length) as usize;
    // Before any memory is taken for it.
    if length > LENGTH_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame that is too long"));
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_and_no_others() {
        let mut stream = Vec::new();
        for length in [0, 1, LENGTH_MAX] {
            write(&mut stream, &vec![7; length]).unwrap();
        }
        let mut input = &stream[..];
        for length in [0, 1, LENGTH_MAX] {
            assert_eq!(read(&mut input).unwrap().unwrap(), vec![7; length]);
        }
        assert!(read(&mut input).unwrap().is_none());
        for end in [1, 3, 4 + 5 + LENGTH_MAX] {
            let mut cut = &stream[..end];
            while let Ok(Some(_)) = read(&mut cut) {}
            assert!(cut.is_empty());
        }
        assert!(write(&mut Vec::new(), &vec![0; LENGTH_MAX + 1]).is_err());
        let long = u32::try_from(LENGTH_MAX + 1).unwrap().to_be_bytes();
        assert_eq!(read(&mut &long[..]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
