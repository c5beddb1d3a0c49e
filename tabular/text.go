package tabular

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// sampleBytes is how much of a text is looked at to tell its encoding. What comes behind it is checked row by row.
const sampleBytes = 64 << 20

// encodingOf tells UTF-8 from UTF-16 (by its mark) and from CP949, which is what is neither: there is no byte that only CP949 has.
func encodingOf(in *io.SectionReader, asked string) (string, error) {
	head := make([]byte, 4)
	n, _ := in.ReadAt(head, 0)
	switch {
	case bytes.HasPrefix(head[:n], []byte("\ufeff")): // a mended file of rejected rows, say, whose original was CP949
		return "utf-8", nil
	case asked == "utf-8" || asked == "cp949":
		return asked, nil
	case utf16(head[:n]) != "":
		return "utf-16", nil
	case asked != "":
		return "", problem.New("table.encoding", 422, lang.F("알 수 없는 인코딩입니다: %s", "unknown encoding %s", asked)).Hinting(lang.T("utf-8이나 cp949를 쓰십시오", "use utf-8 or cp949"))
	}
	whole, err := isUTF8(io.NewSectionReader(in, 0, min(in.Size(), sampleBytes)))
	if err != nil {
		return "", err
	}
	if whole {
		return "utf-8", nil
	}
	return "cp949", nil
}

// isUTF8 reports whether a text is UTF-8, but for a character that is cut off at its end.
func isUTF8(r io.Reader) (bool, error) {
	buf := make([]byte, 256<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		text := buf[:kept+n]
		good := len(text)
		for back := 1; back <= min(utf8.UTFMax, len(text)); back++ {
			if c := text[len(text)-back]; utf8.RuneStart(c) {
				if !utf8.FullRune(text[len(text)-back:]) {
					good = len(text) - back
				}
				break
			}
		}
		if !utf8.Valid(text[:good]) {
			return false, nil
		}
		kept = copy(buf, text[good:])
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// decoded is a text as UTF-8 without its mark. Bytes that aren't of the encoding become U+FFFD, by which rows see them.
func decoded(in io.Reader, encoding string) io.Reader {
	switch encoding {
	case "cp949": // what offices call EUC-KR is nearly always CP949, which has all of it
		return transform.NewReader(in, korean.EUCKR.NewDecoder())
	case "utf-16":
		return transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	}
	return &unmarked{in: in}
}

// unmarked drops a byte order mark.
type unmarked struct {
	in   io.Reader
	seen bool
}

func (u *unmarked) Read(p []byte) (int, error) {
	if u.seen || len(p) < 3 {
		return u.in.Read(p)
	}
	u.seen = true
	n, err := io.ReadFull(u.in, p[:3])
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	if bytes.Equal(p[:n], []byte("\ufeff")) {
		if err != nil {
			return 0, err
		}
		return u.in.Read(p)
	}
	return n, err
}

// counted counts the bytes that are read.
type counted struct {
	in io.Reader
	n  int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}
