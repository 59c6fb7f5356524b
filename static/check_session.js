// Answers apps that ask whether the session they know of is still the same.
// Source: OpenID Connect Session Management 1.0 section 3.2.
//
// SHA-256 is written out (FIPS 180-4 section 6.2): crypto.subtle is not there in frames of pages
// without TLS. Nothing here is secret.
"use strict";
(function () {
  var cookie = document.currentScript.getAttribute("data-cookie");

  function browserState() {
    var pairs = document.cookie.split(";");
    for (var i = 0; i < pairs.length; i++) {
      var pair = pairs[i].trim();
      if (pair.indexOf(cookie + "=") === 0) return pair.slice(cookie.length + 1);
    }
    return "";
  }

  // The first 32 bits of the fractional parts of roots of the first primes.
  function roots(count, power) {
    var words = [];
    for (var n = 2; words.length < count; n++) {
      var prime = true;
      for (var d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
      if (prime) words.push(((Math.pow(n, power) % 1) * 4294967296) | 0);
    }
    return words;
  }

  function right(word, by) {
    return (word >>> by) | (word << (32 - by));
  }

  function sha256(bytes) {
    var length = bytes.length;
    var keys = roots(64, 1 / 3);
    var state = roots(8, 1 / 2);
    var i;
    bytes = bytes.concat([128]);
    while (bytes.length % 64 !== 56) bytes.push(0);
    for (i = 7; i >= 0; i--) bytes.push(Math.floor((length * 8) / Math.pow(256, i)) & 255);
    for (var at = 0; at < bytes.length; at += 64) {
      var w = [];
      var s = state.slice();
      for (i = 0; i < 64; i++) {
        if (i < 16) {
          var b = at + i * 4;
          w[i] = (bytes[b] << 24) | (bytes[b + 1] << 16) | (bytes[b + 2] << 8) | bytes[b + 3];
        } else {
          var x = w[i - 15];
          var y = w[i - 2];
          var x0 = right(x, 7) ^ right(x, 18) ^ (x >>> 3);
          var y0 = right(y, 17) ^ right(y, 19) ^ (y >>> 10);
          w[i] = (w[i - 16] + x0 + w[i - 7] + y0) | 0;
        }
        var e = right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25);
        var one = (s[7] + e + ((s[4] & s[5]) ^ (~s[4] & s[6])) + keys[i] + w[i]) | 0;
        var a = right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22);
        var two = (a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]))) | 0;
        s = [(one + two) | 0, s[0], s[1], s[2], (s[3] + one) | 0, s[4], s[5], s[6]];
      }
      for (i = 0; i < 8; i++) state[i] = (state[i] + s[i]) | 0;
    }
    var out = "";
    for (i = 0; i < 32; i++) {
      out += String.fromCharCode((state[i >> 2] >>> (24 - (i % 4) * 8)) & 255);
    }
    return out;
  }

  function hashed(text) {
    var utf8 = unescape(encodeURIComponent(text));
    var bytes = [];
    for (var i = 0; i < utf8.length; i++) bytes.push(utf8.charCodeAt(i));
    return btoa(sha256(bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  }

  function answer(message, origin) {
    var parts = typeof message === "string" ? message.split(" ") : [];
    var hash = parts.length === 2 ? parts[1].split(".") : [];
    if (!parts[0] || hash.length !== 2 || !hash[0] || !hash[1]) return "error";
    // The origin is the browser's word, not the sender's: nobody can ask for somebody else.
    var expected = hashed([parts[0], origin, browserState(), hash[1]].join(" "));
    return hash[0] === expected ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    if (!event.source || event.source === window || event.origin === "null") return;
    event.source.postMessage(answer(event.data, event.origin), event.origin);
  });
})();
