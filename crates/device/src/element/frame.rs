//! Framing of commands and answers on a byte stream: a length, u16 big-endian, and so many bytes.

use std::io::{self, Read, Write};

/// Writes one frame and flushes it.
///
/// # Errors
/// Those of `output`; [`io::ErrorKind::InvalidInput`] where the bytes are too many for a frame.
pub(super) fn write(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // One write: a frame that is begun is not left half written for want of a second call.
    let mut frame = Vec::with_capacity(2 + bytes.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(bytes);
    let written = output.write_all(&frame).and_then(|()| output.flush());
    zeroize::Zeroize::zeroize(&mut frame);
    written
}

/// Reads one frame; `None` where the stream ends before one begins.
///
/// # Errors
/// Those of `input`; [`io::ErrorKind::UnexpectedEof`] where the stream ends within a frame.
pub(super) fn read(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    loop {
        match input.read(&mut length[..1]) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    input.read_exact(&mut length[1..])?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut stream = Vec::new();
        for length in [0, 1, 255, 256, 65_535] {
            write(&mut stream, &vec![7; length]).unwrap();
        }
        let mut input = &stream[..];
        for length in [0, 1, 255, 256, 65_535] {
            assert_eq!(read(&mut input).unwrap().unwrap(), vec![7; length]);
        }
        assert!(read(&mut input).unwrap().is_none());
    }

    #[test]
    fn rejects_a_frame_cut_anywhere() {
        let mut stream = Vec::new();
        write(&mut stream, &[1, 2, 3]).unwrap();
        for end in 1..stream.len() {
            assert_eq!(read(&mut &stream[..end]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "cut at {end}");
        }
    }

    #[test]
    fn rejects_more_than_a_frame_holds() {
        assert_eq!(write(&mut Vec::new(), &[0; 65_536]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
