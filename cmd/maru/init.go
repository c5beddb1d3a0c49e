package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// templates are projects to begin with, a file each. A name between {{ }} is filled in; everything else is as it stands.
//
//go:embed templates/*.yaml
var templates embed.FS

// templateNames are the names of templates.
func templateNames() (names []string) {
	entries, err := fs.ReadDir(templates, "templates")
	if err != nil { // they are compiled in
		panic(err)
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// startingPoint is what a template is filled in with. Both are checked names.
type startingPoint struct {
	Name  string // of the project
	Owner string // the agency
}

// initCommand begins a project.
func initCommand(reader lang.Tag) *cobra.Command {
	names := templateNames()
	c := &cobra.Command{
		Use:   "init DIR",
		Short: lang.T("틀에서 새 사업의 선언문을 만듭니다", "begin a project from a template").In(reader),
		Long: lang.F(
			"폴더 DIR을 만들고 그 안에 선언문 하나를 씁니다. 폴더 이름이 사업 이름이 됩니다. 이미 있는 파일은 바꾸지 않습니다. 틀: %s",
			"Make the folder DIR with one manifest in it; the folder's name is the project's. A file that is there isn't changed. Templates: %s",
			strings.Join(names, ", "),
		).In(reader),
		Args: cobra.ExactArgs(1),
	}
	connect := serverFlag(c, reader)
	from := c.Flags().String("template", "", lang.F("틀: %s", "template: %s", strings.Join(names, ", ")).In(reader))
	owner := c.Flags().String("owner", "", lang.T("사업을 맡은 기관 (쓰지 않으면 로그인한 사람의 기관)", "the agency that owns it (otherwise that of who is signed in)").In(reader))
	c.RunE = func(c *cobra.Command, args []string) error {
		dir, err := filepath.Abs(args[0])
		if err != nil {
			return err
		}
		s := startingPoint{Name: filepath.Base(dir), Owner: *owner}
		if s.Owner == "" {
			s.Owner = agencyOf(c, connect)
		}
		text, err := begun(*from, s)
		if err != nil {
			return err
		}
		path := filepath.Join(args[0], s.Name+".yaml")
		if err := os.MkdirAll(args[0], 0o755); err != nil {
			return problem.New("init.folder", 400, lang.F("폴더를 만들 수 없습니다: %s (%s)", "the folder %s can't be made: %s", args[0], reason(err)))
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return problem.New("init.exists", 409, lang.F("이미 있는 파일입니다: %s", "%s is there already", path)).Hinting(lang.T("다른 폴더를 쓰거나 그 파일을 고쳐 쓰십시오", "use another folder, or go on with that file"))
		}
		if err != nil {
			return problem.New("init.folder", 400, lang.F("파일을 쓸 수 없습니다: %s (%s)", "%s can't be written: %s", path, reason(err)))
		}
		_, err = f.Write(text)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		fmt.Fprintln(c.OutOrStdout(), lang.F("%[1]s에 썼습니다. ←가 있는 곳을 고친 다음 maru plan %[2]s로 확인하십시오.", "Wrote %[1]s. Change what is marked ←, then run maru plan %[2]s.", path, args[0]).In(reader))
		return nil
	}
	return c
}

// begun is a template filled in.
//
// Codes: init.template, init.name, init.owner.
func begun(name string, s startingPoint) ([]byte, error) {
	names := templateNames()
	text, err := templates.ReadFile("templates/" + name + ".yaml")
	switch {
	case err != nil:
		hint := lang.F("--template에 쓸 수 있는 이름: %s", "--template is one of: %s", strings.Join(names, ", "))
		if near := manifest.Nearest(name, names); near != "" {
			hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
		}
		if name == "" {
			return nil, problem.New("init.template", 400, lang.T("어느 틀로 시작할지 정해 주십시오", "say which template to begin with")).Hinting(hint)
		}
		return nil, problem.New("init.template", 404, lang.F("없는 틀입니다: %q", "there is no template %q", name)).Hinting(hint)
	case !manifest.ValidName(s.Name):
		return nil, problem.New("init.name", 400, lang.F("폴더 이름을 사업 이름으로 쓸 수 없습니다: %q", "%q can't be a project's name", s.Name)).Hinting(lang.T("영문 소문자·숫자·붙임표로 된 이름을 쓰십시오. 예: newborn-care", "use small letters, digits and hyphens, as in newborn-care"))
	case s.Owner == "":
		return nil, problem.New("init.owner", 400, lang.T("사업을 맡은 기관을 알 수 없습니다", "which agency owns the project isn't known")).Hinting(lang.T("--owner에 기관 이름을 쓰거나 maru login으로 로그인하십시오", "name it with --owner, or sign in by maru login"))
	case !manifest.ValidName(s.Owner):
		return nil, problem.New("init.owner", 400, lang.F("기관 이름이 아닙니다: %q", "%q is no agency's name", s.Owner)).Hinting(lang.T("maru get Agency로 이름을 찾아보십시오", "look for it with maru get Agency"))
	}
	t, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// agencyOf is the agency of who is signed in, "" where nobody is or the server isn't reached.
func agencyOf(c *cobra.Command, connect func() (*client, error)) string {
	server, err := connect()
	if err != nil {
		return ""
	}
	var me struct{ Agency string }
	if err := server.get(c.Context(), "/me", nil, &me); err != nil {
		return ""
	}
	return me.Agency
}
