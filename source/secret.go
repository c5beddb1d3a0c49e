package source

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// secretMark stands in an address for the secret, where its owner wants it there.
const secretMark = "{secret}"

// maxSecret is how long a secret may be, in bytes.
const maxSecret = 64 << 10

// Secrets reads secrets from files of a folder: PROJECT/NAME, as the project's manifests name it. A line's end behind one isn't part of it.
func Secrets(folder *os.Root) func(project, name string) (string, error) {
	return func(project, name string) (string, error) {
		at := project + "/" + name
		f, err := folder.Open(at)
		if errors.Is(err, fs.ErrNotExist) {
			return "", problem.New("source.secret", 422, lang.F("서버에 비밀값이 없습니다: %s", "the server has no secret %s", at)).
				Hinting(lang.F("운영자가 서버의 secrets 폴더에 %s 파일을 두어야 합니다", "its operator puts a file %s into the server's folder secrets", at))
		}
		if err != nil {
			return "", unreadable(at)
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, maxSecret))
		if err != nil {
			return "", unreadable(at)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
}

func unreadable(at string) error {
	return problem.New("source.secret", 422, lang.F("비밀값을 읽을 수 없습니다: %s", "the secret %s can't be read", at))
}

// withSecret puts a secret where its mark is.
func withSecret(address, secret string) string {
	return strings.ReplaceAll(address, secretMark, secret)
}

// bearer is the header that has the secret, unless the address has it.
func bearer(address, secret string) http.Header {
	if secret == "" || strings.Contains(address, secretMark) {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + secret}}
}
