package tabular

import (
	"archive/zip"
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// signature is how the content of a form begins.
type signature struct {
	prefix string
	form   string    // one of ours; "" where it is no table
	is     lang.Text // what it is
	hint   lang.Text
}

var convert = lang.T("표를 CSV나 XLSX로 저장해 올리십시오", "save the table as CSV or XLSX")

var signatures = []signature{
	{"PAR1", "parquet", lang.Text{}, lang.Text{}},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls", lang.Text{}, lang.Text{}},
	{"PK\x03\x04", "zip", lang.Text{}, lang.Text{}},
	{"%PDF", "", lang.T("PDF 문서", "a PDF document"), convert},
	{"\x89PNG", "", lang.T("그림(PNG)", "an image (PNG)"), convert},
	{"\xff\xd8\xff", "", lang.T("그림(JPEG)", "an image (JPEG)"), convert},
	{"GIF8", "", lang.T("그림(GIF)", "an image (GIF)"), convert},
	{"\x1f\x8b", "", lang.T("gzip으로 압축한 파일", "a file compressed by gzip"), lang.T("압축을 풀어 올리십시오", "unpack it first")},
	{"BZh", "", lang.T("bzip2로 압축한 파일", "a file compressed by bzip2"), lang.T("압축을 풀어 올리십시오", "unpack it first")},
	{"\xfd7zXZ", "", lang.T("xz로 압축한 파일", "a file compressed by xz"), lang.T("압축을 풀어 올리십시오", "unpack it first")},
	{"(\xb5/\xfd", "", lang.T("zstd로 압축한 파일", "a file compressed by zstd"), lang.T("압축을 풀어 올리십시오", "unpack it first")},
	{"7z\xbc\xaf", "", lang.T("7z로 압축한 파일", "a file compressed by 7z"), lang.T("압축을 풀어 올리십시오", "unpack it first")},
	{"Rar!", "", lang.T("RAR로 압축한 파일", "a file compressed by RAR"), lang.T("압축을 풀어 올리십시오", "unpack it first")},
	{"SQLite format 3", "", lang.T("SQLite 데이터베이스", "an SQLite database"), convert},
	{"HWP Document", "", lang.T("한글 문서", "a Hangul document"), convert},
	{"\x7fELF", "", lang.T("프로그램", "a program"), convert},
}

// detect finds the form of a content.
func detect(r io.ReaderAt, size int64) (string, error) {
	head := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return "", err
	}
	for _, s := range signatures {
		if !bytes.HasPrefix(head, []byte(s.prefix)) {
			continue
		}
		switch s.form {
		case "":
			return "", noTable(s.is, s.hint)
		case "zip":
			return detectZip(r, size)
		}
		return s.form, nil
	}
	if utf16(head) != "" {
		return "csv", nil
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	switch {
	case bytes.IndexByte(head, 0) >= 0:
		return "", noTable(lang.T("텍스트가 아닌 파일", "no text file"), convert)
	case len(text) == 0 && size <= int64(len(head)):
		return "", empty()
	case bytes.HasPrefix(text, []byte("<")):
		return "", noTable(lang.T("HTML이나 XML 문서", "an HTML or XML document"), lang.T("엑셀에서 열어 XLSX로 저장해 올리십시오. 내려받을 때 오류 화면이 저장된 것은 아닌지 확인하십시오", "open it in a spreadsheet and save it as XLSX; or look whether the download gave an error page"))
	case len(text) > 0 && (text[0] == '{' || text[0] == '['):
		if looksJSON(text) {
			return "json", nil
		}
	}
	return "csv", nil
}

// looksJSON tells a JSON text from a CSV whose first cell begins with a bracket.
func looksJSON(text []byte) bool {
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	if len(rest) == 0 {
		return true
	}
	if text[0] == '{' {
		return rest[0] == '"' || rest[0] == '}'
	}
	return bytes.IndexByte([]byte(`{["]-0123456789tfn`), rest[0]) >= 0
}

// utf16 names the order of bytes by a byte order mark, or "".
func utf16(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return "le"
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return "be"
	}
	return ""
}

func detectZip(r io.ReaderAt, size int64) (string, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return "", truncated()
	}
	for _, f := range z.File {
		switch f.Name {
		case "xl/workbook.xml":
			return "xlsx", nil
		case "word/document.xml":
			return "", noTable(lang.T("워드 문서", "a Word document"), convert)
		case "Contents/content.hpf", "Contents/header.xml":
			return "", noTable(lang.T("한글 문서", "a Hangul document"), convert)
		case "content.xml":
			return "", noTable(lang.T("OpenDocument 문서", "an OpenDocument file"), convert)
		case "xl/workbook.bin":
			return "", noTable(lang.T("엑셀 바이너리(XLSB) 파일", "a binary Excel workbook (XLSB)"), convert)
		}
	}
	return "", noTable(lang.T("zip으로 압축한 파일", "a zip archive"), lang.T("압축을 풀어 안의 파일을 올리십시오", "unpack it and use a file in it"))
}

func noTable(is, hint lang.Text) error {
	return problem.New("table.form", 422, lang.F("표로 읽을 수 없는 파일입니다: %s", "it is no table but %s", is)).Hinting(hint)
}

func truncated() error {
	return problem.New("table.truncated", 422, lang.T("파일이 중간에 끊겼거나 손상되었습니다", "the file is cut off or broken")).
		Hinting(lang.T("다시 내려받거나 원본을 다시 저장해 올리십시오", "download it again, or save the original again"))
}

// shorten keeps the beginning of a text, for messages.
func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
