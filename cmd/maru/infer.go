package main

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/infer"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/source"
	"github.com/maru-city/maru/tabular"
)

// inferCommand drafts datasets for files.
func inferCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "infer FILE… | DATABASE --table NAME",
		Short: lang.T("파일이나 데이터베이스의 표에서 데이터셋 선언문을 만듭니다", "draft a dataset's manifest from a file or a table of a database").In(reader),
		Long: lang.T(
			"CSV, XLSX, XLS, JSON, GeoJSON, Parquet 파일을 읽어 데이터셋 매니페스트(선언문)를 만듭니다. 유형, 길이, 식별 항목, 정보주체, 개인정보, 표준용어를 찾고, 확실하지 않은 내용은 주석으로 적습니다. 표준용어는 서버의 카탈로그에서 찾습니다. postgres://사용자@서버/데이터베이스나 mysql://…을 주면 --table의 표를 읽으며, 비밀번호는 환경변수 MARU_PASSWORD에서 읽습니다.",
			"Read a CSV, XLSX, XLS, JSON, GeoJSON or Parquet file and write a dataset's manifest: types, lengths, key, subject, personal data, standard terms; doubts stand in comments. Terms are looked up in the server's catalog. Given postgres://user@host/database or mysql://…, read its table named by --table; the password comes from MARU_PASSWORD.",
		).In(reader),
		Args: cobra.MinimumNArgs(1),
	}
	connect := serverFlag(c, reader)
	name := c.Flags().String("name", "", lang.T("데이터셋 이름", "name of the dataset").In(reader))
	sheet := c.Flags().String("sheet", "", lang.T("시트 이름", "sheet of a workbook").In(reader))
	header := c.Flags().Int("header", -1, lang.T("열 이름이 있는 행의 수 (0이면 없음)", "rows of column names (0: none)").In(reader))
	skip := c.Flags().Int("skip", 0, lang.T("열 이름 앞에서 건너뛸 행의 수", "rows to leave out before them").In(reader))
	items := c.Flags().String("items", "", lang.T("JSON에서 목록의 위치 (예: data.items)", "where the list stands in a JSON, such as data.items").In(reader))
	table := c.Flags().String("table", "", lang.T("데이터베이스의 표 (예: public.people)", "table of the database, such as public.people").In(reader))
	secret := c.Flags().String("secret", "", lang.T("서버가 비밀번호를 찾을 이름", "the name by which the server finds the password").In(reader))
	c.RunE = func(c *cobra.Command, args []string) error {
		if *name != "" && len(args) > 1 {
			return problem.New("infer.name", 400, lang.T("--name은 파일이 하나일 때만 쓸 수 있습니다", "--name is for one file"))
		}
		server, err := connect()
		if err != nil {
			return err
		}
		var terms infer.TermIndex
		if index, err := server.terms(c.Context()); err == nil {
			terms = index
		} else if problem.Code(err) == "server.unreachable" {
			fmt.Fprintln(c.ErrOrStderr(), lang.T("서버에 연결할 수 없어 표준용어 없이 만듭니다", "the server can't be reached: it is drafted without standard terms").In(reader))
		} else {
			return err
		}
		options := tabular.Options{Sheet: *sheet, Skip: *skip, Items: *items}
		if *header >= 0 {
			options.Header = header
		}
		project, err := projectOf(".")
		if err != nil {
			return err
		}
		for n, path := range args {
			o := infer.Options{Name: *name, Terms: terms, Project: project == "" && n == 0}
			if o.Folder, err = filepath.Abs("."); err != nil {
				return err
			}
			var draft *infer.Draft
			if *table == "" && strings.Contains(path, "://") {
				return problem.New("infer.table", 400, lang.F("어느 테이블인지 알 수 없습니다: %s", "which table of %s isn't said", path)).Hinting(lang.T("--table을 쓰십시오", "name it with --table"))
			}
			if *table != "" {
				draft, err = draftTable(c.Context(), manifest.Source{Database: path, Table: *table, Secret: *secret, Schedule: "every 1m"}, o)
			} else {
				draft, err = draftFile(path, options, o)
			}
			if err != nil {
				return err
			}
			if n > 0 {
				fmt.Fprintln(c.OutOrStdout(), "---")
			}
			if _, err := c.OutOrStdout().Write(draft.YAML(reader)); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

// inferredRows is how many rows of a database's table are looked at.
const inferredRows = 200_000

// draftTable drafts a dataset for a table of a database.
func draftTable(ctx context.Context, from manifest.Source, o infer.Options) (*infer.Draft, error) {
	if err := from.Check(); err != nil {
		return nil, err
	}
	spool, err := os.CreateTemp("", "maru-infer-*.csv")
	if err != nil {
		return nil, err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	here, err := os.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	defer here.Close()
	password := from
	password.Secret = "password"
	reader := &source.Reader{
		Folder: here, Net: fetch.New([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}), // who asks may reach what this machine may
		Secret: func(string, string) (string, error) { return os.Getenv("MARU_PASSWORD"), nil },
	}
	if _, err := reader.Copy(ctx, source.Request{Source: &password, Limit: inferredRows}, spool); err != nil {
		return nil, err
	}
	header := 1 // the copy has the columns' names first
	t, err := tabular.OpenFile(spool.Name(), tabular.Options{Header: &header})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	said, err := reader.Describe(ctx, "", &password)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(from.Table, ".")
	in := inputOf(t, parts[len(parts)-1], from)
	in.Title, in.Titles, in.Key, in.Longest, in.Whole = said.Title, said.Titles, said.Key, said.Longest, said.Whole
	return infer.From(in, o)
}

// draftFile drafts a dataset for one file.
func draftFile(path string, options tabular.Options, o infer.Options) (*infer.Draft, error) {
	t, err := tabular.OpenFile(path, options)
	if err != nil {
		if problem.As(err) == nil {
			return nil, noFile(path, err)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer t.Close()
	return infer.From(inputOf(t, filepath.Base(path), readAs(t, options)), o)
}

func inputOf(t *tabular.Table, name string, from manifest.Source) infer.Input {
	in := infer.Input{
		File: name, Columns: t.Columns, Titles: t.Titles, Title: t.Title, Source: from,
		Rows: func(yield func(infer.Row, error) bool) {
			t.Rows()(func(r tabular.Row, err error) bool { return yield(infer.Row(r), err) })
		},
	}
	for _, n := range t.Notes {
		in.Notes = append(in.Notes, n.Text)
	}
	return in
}

// readAs writes down how a file was read, where another reading of it might go another way.
func readAs(t *tabular.Table, asked tabular.Options) manifest.Source {
	s := manifest.Source{Items: t.Items, Skip: t.Skip}
	if len(t.Sheets) > 1 {
		s.Sheet = t.Sheet
	}
	if t.Encoding == "cp949" {
		s.Encoding = t.Encoding
	}
	table := t.Form == "csv" || t.Form == "xlsx" || t.Form == "xls"
	if header := t.Header; table && (header != 1 || t.Skip > 0 || asked.Header != nil) {
		s.Header = &header
	}
	return s
}

// projectOf is the name of the project whose document lies in a folder, or "".
func projectOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("look for a project: %w", err)
	}
	files := map[string]string{}
	for _, e := range entries {
		if e.IsDir() || !manifest.IsManifest(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", fmt.Errorf("look for a project: %w", err)
		}
		files[e.Name()] = string(text)
	}
	set, _ := manifest.Parse(files, nil) // what is wrong with them, plan says
	if len(set.Projects) == 0 {
		return "", nil
	}
	return set.Projects[0], nil
}

// terms are the terms of the server's catalog.
func (c *client) terms(ctx context.Context) (*infer.Index, error) {
	list, err := all[catalog.TermItem](ctx, c, "/terms", url.Values{"limit": {"1000"}}, 0)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b catalog.TermItem) int { return strings.Compare(a.Vocabulary, b.Vocabulary) }) // the city's own first
	entries := make([]manifest.Entry, len(list))
	for i, item := range list {
		entries[i] = manifest.Entry{Name: item.Name, Term: item.Term()}
	}
	return infer.NewIndex(entries), nil
}
