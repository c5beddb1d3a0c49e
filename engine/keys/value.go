package keys

import (
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
)

// lower is base32 in small letters without padding: what names bear.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Pseudonym is what a project knows something by: kind says what ("person"), whole is the city's own identifier of it. The same in, the same out;
// two projects' pseudonyms can't be told to be of the same one. It begins with the kind's first letter, and then has letters and digits.
// (AES-SIV, RFC 5297, with project and kind as associated data.)
func (r *Ring) Pseudonym(project, kind, whole string) (string, error) {
	sealed, err := r.pseudonyms.EncryptDeterministically([]byte(whole), []byte(kind+"\x00"+project))
	if err != nil {
		return "", fmt.Errorf("make a pseudonym: %w", err)
	}
	return kind[:1] + lower.EncodeToString(sealed), nil
}

// Whole is the city's own identifier behind a project's pseudonym; ok is false where it is none of this project and kind.
func (r *Ring) Whole(project, kind, pseudonym string) (whole string, ok bool) {
	if !strings.HasPrefix(pseudonym, kind[:1]) {
		return "", false
	}
	sealed, err := lower.DecodeString(pseudonym[1:])
	if err != nil {
		return "", false
	}
	open, err := r.pseudonyms.DecryptDeterministically(sealed, []byte(kind+"\x00"+project))
	return string(open), err == nil
}

// Seal encrypts a value for storing (AES-256-GCM); about says what it is a value of and must be given again to open it.
func (r *Ring) Seal(about, value string) (string, error) {
	sealed, err := r.SealBytes(about, []byte(value))
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// SealBytes is [Ring.Seal] for what is stored as bytes, such as a file.
func (r *Ring) SealBytes(about string, value []byte) ([]byte, error) {
	sealed, err := (*r.fields.Load()).Encrypt(value, []byte(about))
	if err != nil {
		return nil, fmt.Errorf("seal a value: %w", err)
	}
	return sealed, nil
}

// Unseal is the value that was sealed.
func (r *Ring) Unseal(about, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("unseal a value: %w", err)
	}
	open, err := r.UnsealBytes(about, raw)
	return string(open), err
}

// UnsealBytes is what [Ring.SealBytes] sealed.
func (r *Ring) UnsealBytes(about string, sealed []byte) ([]byte, error) {
	open, err := (*r.fields.Load()).Decrypt(sealed, []byte(about))
	if err != nil && r.newer() {
		open, err = (*r.fields.Load()).Decrypt(sealed, []byte(about))
	}
	if err != nil {
		return nil, fmt.Errorf("unseal a value: %w", err)
	}
	return open, nil
}

// Index is a value as one can look for it among sealed ones: the same for the same value of the same thing (HMAC-SHA-256, 16 bytes).
func (r *Ring) Index(about, value string) (string, error) {
	sum, err := r.index.ComputePrimaryPRF([]byte(about+"\x00"+value), 16)
	if err != nil {
		return "", fmt.Errorf("index a value: %w", err)
	}
	return lower.EncodeToString(sum), nil
}
