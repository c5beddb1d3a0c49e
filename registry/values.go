package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// UnmarshalJSON keeps numbers as they are written.
func (v *Values) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode((*map[string]any)(v)); err != nil {
		return err
	}
	if !utf8.Valid(text) || halved(text) { // the decoder would put U+FFFD in its place
		return errors.New("text that isn't Unicode")
	}
	return nil
}

// halved reports whether a JSON text writes half of a surrogate pair.
func halved(text []byte) bool {
	for at := bytes.IndexByte(text, '\\'); at >= 0 && at+1 < len(text); {
		if text[at+1] == 'u' && at+6 <= len(text) {
			r, err := strconv.ParseUint(string(text[at+2:at+6]), 16, 16)
			if err == nil && utf16.IsSurrogate(rune(r)) {
				if r >= 0xdc00 || at+12 > len(text) || text[at+6] != '\\' || text[at+7] != 'u' {
					return true
				}
				low, err := strconv.ParseUint(string(text[at+8:at+12]), 16, 16)
				if err != nil || low < 0xdc00 || low > 0xdfff {
					return true
				}
				at += 6
			}
			at += 4
		}
		next := bytes.IndexByte(text[min(at+2, len(text)):], '\\')
		if next < 0 {
			return false
		}
		at += 2 + next
	}
	return false
}
