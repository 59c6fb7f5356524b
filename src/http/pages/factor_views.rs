//! What pages show of second factors while they are added.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcodegen::{QrCode, QrCodeEcc};

use crate::users::factors::{NewCodes, TotpOffer};
use crate::words::Language;

/// Modules of white around a code. Source: ISO/IEC 18004 section 9.1.
const QUIET: i32 = 4;

/// A QR code as an SVG: one path on white, so that it can be read in the dark, too.
#[derive(Clone, Debug)]
pub struct Qr {
    /// Width and height, in modules.
    pub size: i32,
    /// The dark modules.
    pub path: String,
}

impl Qr {
    /// The code of a text; `None` if it is too long for one.
    pub(in crate::http::pages) fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let cells = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark = cells.filter(|(x, y)| code.get_module(*x, *y));
        let square = |(x, y): (i32, i32)| format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET);
        let path = dark.map(square).collect::<Vec<_>>().concat();
        Some(Self { size: code.size() + 2 * QUIET, path })
    }
}

/// `templates/totp_setup.html`, a part of pages: what an authenticator app is told.
#[derive(Debug)]
pub struct TotpSetup {
    /// For its camera.
    pub qr: Option<Qr>,
    /// For people who type, in groups of four.
    pub secret: String,
    /// For people who read on the phone that has the app.
    pub link: String,
    /// Comes back with the first code.
    pub state: String,
    /// In words, what the picture is.
    pub alternative: String,
}

impl TotpSetup {
    /// What is shown of an offer.
    pub(in crate::http::pages) fn of(offer: &TotpOffer, language: Language) -> Self {
        let letters: Vec<char> = offer.secret.secret.reveal().chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        Self {
            qr: Qr::of(offer.secret.otpauth_url.reveal()),
            secret: groups.join(" "),
            link: offer.secret.otpauth_url.reveal().to_owned(),
            state: offer.state.clone(),
            alternative: language.say("totp-setup-picture"),
        }
    }
}

/// `templates/recovery_codes.html`, a part of pages: shown once.
#[derive(Debug)]
pub struct RecoveryCodes {
    /// One by one.
    pub codes: Vec<String>,
    /// The same as a file: a `data:` URL, which needs no script and no second request.
    pub file: String,
}

impl RecoveryCodes {
    /// What is shown of new codes.
    pub(in crate::http::pages) fn of(codes: &NewCodes) -> Self {
        let codes: Vec<String> = codes.0.iter().map(|code| code.reveal().to_owned()).collect();
        let text =
            utf8_percent_encode(&(codes.join("\r\n") + "\r\n"), NON_ALPHANUMERIC).to_string();
        Self { codes, file: format!("data:text/plain;charset=utf-8,{text}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_corners_and_white_around() {
        let qr = Qr::of("otpauth://totp/id:ada?secret=GEZDGNBVGY3TQOJQ").unwrap();

        // The finder patterns begin at three corners, inside of the quiet zone.
        let far = qr.size - QUIET - 7;
        for (x, y) in [(QUIET, QUIET), (far, QUIET), (QUIET, far)] {
            assert!(qr.path.contains(&format!("M{x},{y}h1v1h-1z")), "{x} {y}");
        }
        assert!(!qr.path.contains("M3,") && !qr.path.contains(",3h"));
        assert!(Qr::of(&"x".repeat(5_000)).is_none());
    }
}
