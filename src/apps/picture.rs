//! Pictures that developers bring: what they are is read from their bytes, never from what
//! somebody says they are. Nothing here decodes a pixel.
//!
//! Source: PNG (ISO/IEC 15948) sections 5 and 11.2, JPEG (ITU-T T.81) annex B, WebP (RFC 9649).

/// Largest picture, in bytes.
pub const PICTURE_BYTES_MAX: usize = 128 * 1024;
/// Longest side, in pixels.
pub const SIDE_MAX: u32 = 1024;

/// What a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
}

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPicture {
    /// More bytes than fit.
    #[error("must have at most {PICTURE_BYTES_MAX} bytes")]
    TooLarge,
    /// Another format, or a file that is not whole, or has something behind its end.
    #[error("must be a whole PNG, JPEG or WebP file")]
    Malformed,
    /// More pixels than fit, or none.
    #[error("must have at most {SIDE_MAX} pixels on each side")]
    Size,
}

impl Format {
    /// As `Content-Type` says it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }
}

/// Looks whether the bytes are one picture that may be shown, from their first to their last.
///
/// # Errors
/// [`BadPicture`].
pub fn check(bytes: &[u8]) -> Result<Format, BadPicture> {
    if bytes.len() > PICTURE_BYTES_MAX {
        return Err(BadPicture::TooLarge);
    }
    let found = if let Some(rest) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        png(rest).map(|size| (Format::Png, size))
    } else if let Some(rest) = bytes.strip_prefix(b"\xff\xd8") {
        jpeg(rest).map(|size| (Format::Jpeg, size))
    } else if let Some(rest) = bytes.strip_prefix(b"RIFF") {
        webp(rest).map(|size| (Format::Webp, size))
    } else {
        None
    };
    let (format, (width, height)) = found.ok_or(BadPicture::Malformed)?;
    let fits = |side: u32| (1..=SIDE_MAX).contains(&side);
    if fits(width) && fits(height) { Ok(format) } else { Err(BadPicture::Size) }
}

/// Cuts `count` bytes off the front.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

/// A number of up to four bytes, the most significant first.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte))
}

/// A number of up to four bytes, the least significant first.
fn small_first(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte))
}

fn length(number: u32) -> Option<usize> {
    usize::try_from(number).ok().filter(|length| *length <= PICTURE_BYTES_MAX)
}

/// Chunks, of which the first is the header and the last the end.
fn png(mut rest: &[u8]) -> Option<(u32, u32)> {
    let mut size = None;
    loop {
        let long = length(number(take(&mut rest, 4)?))?;
        let kind = take(&mut rest, 4)?;
        let mut data = take(&mut rest, long)?;
        take(&mut rest, 4)?;
        match (kind, size) {
            (b"IHDR", None) if long == 13 => {
                size = Some((number(take(&mut data, 4)?), number(take(&mut data, 4)?)));
            }
            (b"IHDR", _) | (_, None) => return None,
            (b"IEND", size) => return size.filter(|_| rest.is_empty()),
            (_, Some(_)) => {}
        }
    }
}

/// Segments with a length, scans without one, and the mark of the end.
fn jpeg(mut rest: &[u8]) -> Option<(u32, u32)> {
    let mut size = None;
    loop {
        let [0xff, mark] = take(&mut rest, 2)? else { return None };
        match mark {
            0xd9 => return size.filter(|_| rest.is_empty()),
            0x01 | 0xd0..=0xd8 | 0x00 | 0xff => return None,
            _ => {}
        }
        let long = length(number(take(&mut rest, 2)?))?.checked_sub(2)?;
        let mut data = take(&mut rest, long)?;
        match mark {
            0xc4 | 0xc8 | 0xcc => {}
            0xc0..=0xcf => {
                take(&mut data, 1)?;
                let height = number(take(&mut data, 2)?);
                size = Some((number(take(&mut data, 2)?), height));
            }
            // What follows is coded, up to the next mark that is neither a filler nor a restart.
            0xda => rest = rest.get(scan(rest)?..)?,
            _ => {}
        }
    }
}

/// Where the coded data end.
fn scan(rest: &[u8]) -> Option<usize> {
    rest.windows(2)
        .position(|pair| matches!(pair, [0xff, mark] if !matches!(mark, 0 | 0xd0..=0xd7)))
}

/// One list of chunks, as long as it says.
fn webp(mut rest: &[u8]) -> Option<(u32, u32)> {
    let long = length(small_first(take(&mut rest, 4)?))?;
    if long != rest.len() || take(&mut rest, 4)? != b"WEBP" {
        return None;
    }
    let mut size = None;
    while !rest.is_empty() {
        let kind = take(&mut rest, 4)?;
        let long = length(small_first(take(&mut rest, 4)?))?;
        let data = take(&mut rest, long)?;
        take(&mut rest, long % 2)?;
        if size.is_none() {
            size = Some(webp_size(kind, data)?);
        }
    }
    size
}

fn webp_size(kind: &[u8], mut data: &[u8]) -> Option<(u32, u32)> {
    match kind {
        b"VP8 " => {
            take(&mut data, 3)?;
            if take(&mut data, 3)? != b"\x9d\x01\x2a" {
                return None;
            }
            let width = small_first(take(&mut data, 2)?) & 0x3fff;
            Some((width, small_first(take(&mut data, 2)?) & 0x3fff))
        }
        b"VP8L" => {
            if take(&mut data, 1)? != b"\x2f" {
                return None;
            }
            let bits = small_first(take(&mut data, 4)?);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            take(&mut data, 4)?;
            let width = small_first(take(&mut data, 3)?) + 1;
            Some((width, small_first(take(&mut data, 3)?) + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let chunk = |kind: &[u8; 4], data: &[u8]| {
            let long = u32::try_from(data.len()).unwrap().to_be_bytes();
            [&long[..], kind, data, &[0; 4]].concat()
        };
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let header = chunk(b"IHDR", &[&size[..], &[8, 6, 0, 0, 0]].concat());
        [&b"\x89PNG\r\n\x1a\n"[..], &header, &chunk(b"IDAT", b"x"), &chunk(b"IEND", b"")].concat()
    }

    fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
        let (width, height) = (width.to_be_bytes(), height.to_be_bytes());
        let frame = [&b"\xff\xc0\x00\x0b\x08"[..], &height, &width, &[1, 1, 0x11, 0]].concat();
        let scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00ab\xff\x00c\xff\xd0d\xff\xd9";
        [&b"\xff\xd8\xff\xe0\x00\x04ab"[..], &frame, scan].concat()
    }

    fn webp_of(side: u32) -> Vec<u8> {
        let bits = ((side - 1) | (side - 1) << 14).to_le_bytes();
        let body = [&b"WEBPVP8L\x05\0\0\0\x2f"[..], &bits, &[0]].concat();
        let long = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&b"RIFF"[..], &long, &body].concat()
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        assert_eq!(check(&png_of(64, 64)), Ok(Format::Png));
        assert_eq!(check(&jpeg_of(64, 32)), Ok(Format::Jpeg));
        assert_eq!(check(&webp_of(64)), Ok(Format::Webp));
        assert_eq!(check(&png_of(1025, 64)), Err(BadPicture::Size));
        assert_eq!(check(&png_of(64, 0)), Err(BadPicture::Size));
        assert_eq!(check(&jpeg_of(64, 5000)), Err(BadPicture::Size));
        assert_eq!(check(&webp_of(2000)), Err(BadPicture::Size));
        assert_eq!(check(&vec![0x89; PICTURE_BYTES_MAX + 1]), Err(BadPicture::TooLarge));
    }

    #[test]
    fn case_04_what_browsers_run_is_no_picture() {
        let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        for bad in [&b""[..], script, b"<html>", b"GIF89a<script>", b"\x89PNG\r\n\x1a\n", b"RIFF"] {
            assert_eq!(check(bad), Err(BadPicture::Malformed), "{bad:?}");
        }
        for good in [png_of(8, 8), jpeg_of(8, 8), webp_of(8)] {
            let behind = [&good[..], script].concat();
            assert_eq!(check(&behind), Err(BadPicture::Malformed), "nothing rides behind");
            let short = good.get(..good.len() - 1).unwrap();
            assert_eq!(check(short), Err(BadPicture::Malformed));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_picture_or_are_not(
            kind in 0..3_usize,
            at in 0..80_usize,
            bent in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut bytes = [png_of(8, 8), jpeg_of(8, 8), webp_of(8)][kind].clone();
            bytes.truncate(at);
            bytes.extend(bent);
            let _ = check(&bytes);
        }
    }
}
