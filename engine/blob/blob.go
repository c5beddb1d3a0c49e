package blob

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Store keeps files by key. It is safe for concurrent use. No key is the folder of another: who keeps `a/b` doesn't keep `a`.
type Store interface {
	// Put writes what r gives under the key, in place of what was there, and returns how many bytes it was. If reading r fails, or ctx
	// ends, or the disk is full, what was there before is still there.
	Put(ctx context.Context, key string, r io.Reader) (int64, error)

	// Open returns the file of the key and what is known of it. The error is fs.ErrNotExist if there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, Info, error)

	// Delete removes the file of the key. It is no error if there is none.
	Delete(ctx context.Context, key string) error

	// List gives the files whose keys lie under a prefix, in order of key: those in the folder `imports/42/`, or all for "". A prefix that
	// doesn't end in a slash is an error. Files that come or go meanwhile may be missing or there.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Info is what is known of a file without reading it.
type Info struct {
	Key      string
	Size     int64 // bytes
	Modified time.Time
}

// ErrNotExist is the error of [Store.Open] where there is no file; it is the one of io/fs.
var ErrNotExist = fs.ErrNotExist

// The limits of a key.
const (
	MaxKey  = 512 // bytes of the whole key
	MaxName = 128 // bytes of one of its names
)

// name is what lies between the slashes. It begins with a letter or digit, so neither "..", nor a hidden file, nor an option of
// some command is one; it has only lower case, so that no two keys are one file where the file system ignores case; and it has no
// character that is special to Windows, to a shell or in a URL.
var name = regexp.MustCompile(`^[a-z0-9][a-z0-9._=-]*$`)

// reserved are the names that are devices on Windows, whatever follows their first dot.
var reserved = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

// ValidKey returns a Problem with code "blob.key" if a key isn't one: names of lower-case letters, digits and . _ = -, each beginning with
// a letter or digit and not ending with a dot, joined by slashes.
func ValidKey(key string) error {
	ok := len(key) <= MaxKey
	for part := range strings.SplitSeq(key, "/") {
		ok = ok && len(part) <= MaxName && name.MatchString(part) && !strings.HasSuffix(part, ".") && !reserved.MatchString(part)
	}
	if ok {
		return nil
	}
	return problem.New("blob.key", 400, lang.F(
		"쓸 수 없는 파일 키입니다: %.100q",
		"%.100q can't be the key of a file.", key,
	)).Hinting(lang.T(
		"소문자, 숫자와 . _ = - 기호로 된 이름을 /로 이어 쓰십시오. 이름은 글자나 숫자로 시작합니다.",
		"Write names of lower-case letters, digits and . _ = - joined by slashes; each begins with a letter or digit.",
	))
}

// ValidPrefix is like [ValidKey] for what [Store.List] takes: "" or a key with a slash behind it.
func ValidPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	key, ok := strings.CutSuffix(prefix, "/")
	if !ok {
		key = prefix + "/" // not a key, so that the problem shows what was given
	}
	return ValidKey(key)
}
