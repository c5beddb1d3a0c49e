package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// importCommand brings a file into a dataset.
func importCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "import DATASET FILE",
		Short: lang.T("파일의 자료를 데이터셋으로 가져옵니다", "bring a file's records into a dataset").In(reader),
		Long: lang.T(
			"CSV, XLSX, XLS, JSON, GeoJSON, Parquet 파일을 데이터셋으로 가져옵니다. 식별 항목이 같은 레코드는 고치고, 맞지 않는 행은 제외하여 줄 번호와 이유를 붙여 이름.rejected.csv에 저장합니다. 같은 파일을 다시 가져와도 달라지지 않으며, 중간에 끊기면 같은 명령으로 이어서 진행합니다.",
			"Bring a CSV, XLSX, XLS, JSON, GeoJSON or Parquet file into a dataset. A record with the same key is changed; a row that doesn't fit goes to NAME.rejected.csv with its line and the reason. The same file again changes nothing; what was cut off goes on with the same command.",
		).In(reader),
		Args: cobra.ExactArgs(2),
	}
	connect := serverFlag(c, reader)
	dry := c.Flags().Bool("dry-run", false, lang.T("결과를 미리 보기만 하고 저장하지 않습니다", "say what would happen, and write nothing").In(reader))
	c.RunE = func(c *cobra.Command, args []string) error {
		server, err := connect()
		if err != nil {
			return err
		}
		dataset, err := server.find(c.Context(), manifest.KindOf("Dataset"), args[0])
		if err != nil {
			return err
		}
		f, err := os.Open(args[1])
		if err != nil {
			return noFile(args[1], err)
		}
		defer f.Close()
		u := &uploading{client: server, out: c.ErrOrStderr(), file: f}
		state, err := u.run(c.Context(), dataset, *dry)
		if err != nil {
			return err
		}
		return u.tell(c, dataset, state, *dry)
	}
	return c
}

func noFile(path string, err error) error {
	return problem.New("file.open", 400, lang.F("파일을 열 수 없습니다: %s (%s)", "the file %s can't be opened: %s", path, reason(err))).
		Hinting(lang.T("경로를 확인하세요", "check the path"))
}

// importState is how an import stands, as the server tells it.
type importState struct {
	ID        int64    `json:"id"`
	Size      int64    `json:"size"`
	Received  int64    `json:"received"`
	Part      int64    `json:"part"`
	State     string   `json:"state"`
	Rows      int64    `json:"rows"`
	Read      int64    `json:"read"`
	Loaded    int64    `json:"loaded"`
	Changed   int64    `json:"changed"`
	Unchanged int64    `json:"unchanged"`
	Rejected  int64    `json:"rejected"`
	Reason    string   `json:"reason"`
	Notes     []string `json:"notes"`
}

// uploading is a file on its way to the server.
type uploading struct {
	*client
	out  io.Writer
	file *os.File
	bar  bar
}

// run sends the file and waits until the server has done with it.
func (u *uploading) run(ctx context.Context, d listed, dry bool) (s importState, err error) {
	info, err := u.file.Stat()
	if err != nil {
		return s, noFile(u.file.Name(), err)
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return s, problem.New("file.empty", 400, lang.F("빈 파일이거나 일반 파일이 아닙니다: %s", "%s is empty or no regular file", u.file.Name()))
	}
	print, err := fingerprint(u.file, info)
	if err != nil {
		return s, err
	}
	u.bar = bar{out: u.out, on: terminal(u.out)}
	defer u.bar.clear()
	begin := map[string]any{"file": filepath.Base(u.file.Name()), "size": info.Size(), "fingerprint": print, "dry_run": dry}
	if err := u.call(ctx, http.MethodPost, "/datasets/"+url.PathEscape(d.Project)+"/"+url.PathEscape(d.Name)+"/imports", begin, &s); err != nil {
		return s, err
	}
	for s.State == "receiving" {
		u.bar.show(lang.T("보내는 중", "sending").In(u.reader), s.Received, s.Size, "")
		if err := u.part(ctx, &s); err != nil {
			return s, err
		}
	}
	said := ""
	for pause := 20 * time.Millisecond; s.State == "waiting" || s.State == "running"; pause = min(2*pause, 250*time.Millisecond) {
		if s.Reason != said && s.Reason != "" {
			u.bar.clear()
			fmt.Fprintln(u.out, lang.F("서버에서 대기 중입니다: %s", "it waits at the server: %s", s.Reason).In(u.reader))
		}
		said, s.Reason = s.Reason, ""
		u.bar.show(lang.T("가져오는 중", "importing").In(u.reader), s.Read, s.Size, u.grouped(s.Rows)+lang.T("행", " rows").In(u.reader))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s, problem.New("import.left", 499, lang.F("가져오기는 서버에서 계속됩니다 (번호 %v)", "import %v goes on at the server", s.ID)).
				Hinting(lang.T("같은 명령을 다시 실행하면 진행 상황을 볼 수 있습니다", "the same command again shows how it goes"))
		}
		if err := u.get(ctx, fmt.Sprintf("/imports/%d", s.ID), nil, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// part sends the next part of the file.
func (u *uploading) part(ctx context.Context, s *importState) error {
	part := make([]byte, min(s.Part, s.Size-s.Received))
	if _, err := u.file.ReadAt(part, s.Received); err != nil && !errors.Is(err, io.EOF) {
		return noFile(u.file.Name(), err)
	}
	return u.send(ctx, http.MethodPut, fmt.Sprintf("/imports/%d/parts/%d", s.ID, s.Received), "application/octet-stream", bytes.NewReader(part), s)
}

// fingerprint tells files apart: by name, size, time and what stands at their ends.
func fingerprint(f *os.File, info os.FileInfo) (string, error) {
	const end = 1 << 20
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d\x00%d\x00", info.Name(), info.Size(), info.ModTime().UnixNano())
	for _, at := range []int64{0, max(0, info.Size()-end)} {
		if _, err := io.Copy(h, io.NewSectionReader(f, at, end)); err != nil {
			return "", noFile(f.Name(), err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// tell says what became of the file, and fetches its rejected rows.
func (u *uploading) tell(c *cobra.Command, d listed, s importState, dry bool) error {
	if s.State == "failed" {
		return problem.New("import.failed", 422, lang.Text{Ko: s.Reason}).
			Hinting(lang.F("파일이나 선언문을 고치고 다시 실행하세요. 지금까지 반영된 레코드: %s건", "mend the file or the manifest and try again; %s records came in", u.grouped(s.Loaded+s.Changed)))
	}
	out := c.OutOrStdout()
	for _, n := range s.Notes {
		fmt.Fprintln(u.out, plainText(n))
	}
	head := lang.T("%s → %s: 새 레코드 %s건, 바뀐 레코드 %s건, 변경 없음 %s건, 제외 %s건\n", "%s → %s: %s new, %s changed, %s unchanged, %s rejected\n")
	if dry {
		head = lang.T("%s → %s (저장하지 않음): 새 레코드 %s건, 바뀔 레코드 %s건, 변경 없음 %s건, 제외 %s건\n", "%s → %s (nothing written): %s new, %s changed, %s unchanged, %s rejected\n")
	}
	fmt.Fprint(out, lang.F(head.Ko, head.En, filepath.Base(u.file.Name()), d.full(), u.grouped(s.Loaded), u.grouped(s.Changed), u.grouped(s.Unchanged), u.grouped(s.Rejected)).In(u.reader))
	if dry {
		return u.reasons(c, s)
	}
	path := strings.TrimSuffix(u.file.Name(), filepath.Ext(u.file.Name())) + ".rejected.csv"
	if err := os.Rename(path, path+".old"); err != nil && !os.IsNotExist(err) { // it may have been mended by hand, and must not look like this import's
		return noFile(path, err)
	}
	if s.Rejected == 0 {
		return nil
	}
	if err := u.save(c.Context(), fmt.Sprintf("/imports/%d/rejected", s.ID), path); err != nil {
		return err
	}
	fmt.Fprintln(out, lang.F("제외한 행과 이유: %s", "rejected rows and reasons: %s", path).In(u.reader))
	return nil
}

// shownReasons is how many rejected rows a dry run shows.
const shownReasons = 10

// reasons shows the first rows that a dry run rejected.
func (u *uploading) reasons(c *cobra.Command, s importState) error {
	if s.Rejected == 0 {
		return nil
	}
	res, err := u.do(c.Context(), http.MethodGet, fmt.Sprintf("/imports/%d/rejected", s.ID), "", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	in := csv.NewReader(res.Body)
	in.FieldsPerRecord = -1
	for n := int64(0); n <= min(s.Rejected, shownReasons); n++ {
		row, err := in.Read()
		if err != nil {
			return u.strange()
		}
		if n > 0 && len(row) > 1 { // the first are the columns' names
			fmt.Fprintln(c.OutOrStdout(), "  "+lang.F("%s행: %s", "line %s: %s", row[0], plainText(row[1])).In(u.reader))
		}
	}
	if s.Rejected > shownReasons {
		fmt.Fprintln(c.OutOrStdout(), "  "+lang.F("외 %s행", "and %s more", u.grouped(s.Rejected-shownReasons)).In(u.reader))
	}
	return nil
}

// grouped writes a number with thousands commas.
func (u *uploading) grouped(n int64) string {
	return message.NewPrinter(language.Korean).Sprintf("%d", n)
}

// bar is a bar of progress, where a person sees it.
type bar struct {
	out   io.Writer
	on    bool
	shown bool
}

func (b *bar) show(what string, done, of int64, more string) {
	if !b.on || of <= 0 {
		return
	}
	const width = 30
	n := int(min(done, of) * width / of)
	fmt.Fprintf(b.out, "\r\x1b[K%s [%s%s] %3d%% %s", what, strings.Repeat("█", n), strings.Repeat("·", width-n), min(done, of)*100/of, more)
	b.shown = true
}

func (b *bar) clear() {
	if b.shown {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
