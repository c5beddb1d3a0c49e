package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// config is what a server is started with. Each setting is a flag, a variable of the environment and a line of a YAML file; the first that is
// given counts.
type config struct {
	Data     string `yaml:"data"`     // folder of everything the server keeps
	Database string `yaml:"database"` // postgres://…, or the path of an SQLite file; empty: maru.db in Data
	Listen   string `yaml:"listen"`
	City     struct {
		Ko string `yaml:"ko"`
		En string `yaml:"en"`
	} `yaml:"city"` // its name, on every page
	Fetch []string `yaml:"fetch"` // networks beside the public ones in which sources may lie, such as 10.0.0.0/8

	Demo bool `yaml:"-"` // pages say that they are a demonstration
}

// setting is one line of the table of settings.
type setting struct {
	flag, env, standard string
	about               lang.Text
	in                  func(*config) *string
}

var settings = []setting{
	{"data", "MARU_DATA", "", lang.T("서버의 자료를 모두 두는 폴더", "folder of everything the server keeps"), func(c *config) *string { return &c.Data }},
	{"database", "MARU_DATABASE", "", lang.T("postgres://… 또는 SQLite 파일 (기본: 자료 폴더의 maru.db)", "postgres://… or an SQLite file (default: maru.db in the data folder)"), func(c *config) *string { return &c.Database }},
	{"listen", "MARU_LISTEN", "127.0.0.1:8700", lang.T("요청을 받을 주소. 로그인 기능이 마련되기 전에는 이 컴퓨터의 주소만 쓸 수 있습니다", "address to listen on; until there is sign-in only one of this machine"), func(c *config) *string { return &c.Listen }},
}

// configFlags declares the flags of a server, whose data lie in folder unless said otherwise, and returns what reads the settings once the command
// line is known. folder is where data are kept
// unless a setting says otherwise.
func configFlags(c *cobra.Command, reader lang.Tag, folder string) func() (config, error) {
	settings := slices.Clone(settings)
	settings[0].standard = folder
	given := make([]*string, len(settings))
	standard := func(s setting) string {
		if s.flag == "data" {
			return folder
		}
		return s.standard
	}
	for i, s := range settings {
		about := s.about.In(reader) + " [" + s.env + "]"
		if standard := standard(s); standard != "" {
			about += lang.F(" (기본 %s)", " (default %s)", standard).In(reader)
		}
		given[i] = c.Flags().String(s.flag, "", about)
	}
	file := c.Flags().String("config", "", lang.T("설정 파일 (YAML) [MARU_CONFIG]", "file of settings (YAML) [MARU_CONFIG]").In(reader))
	return func() (config, error) {
		if *file == "" {
			*file = os.Getenv("MARU_CONFIG")
		}
		out, err := readConfig(*file)
		if err != nil {
			return out, err
		}
		for i, s := range settings {
			into := s.in(&out)
			switch env := os.Getenv(s.env); {
			case c.Flags().Changed(s.flag):
				*into = *given[i]
			case env != "":
				*into = env
			case *into == "":
				*into = standard(s)
			}
		}
		if out.Database == "" {
			out.Database = filepath.Join(out.Data, "maru.db")
		}
		return out, nil
	}
}

// maxConfig is how large a file of settings may be, in bytes.
const maxConfig = 1 << 20

// readConfig reads a file of settings; "" is none. An unknown key is an error.
func readConfig(path string) (out config, err error) {
	if path == "" {
		return out, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return out, problem.New("config.file", 400, lang.F("설정 파일을 열 수 없습니다: %s (%s)", "the file of settings %s can't be opened: %s", path, reason(err))).
			Hinting(lang.T("--config나 MARU_CONFIG의 경로를 확인하세요", "check the path in --config or MARU_CONFIG"))
	}
	defer f.Close()
	err = yaml.NewDecoder(io.LimitReader(f, maxConfig), yaml.Strict()).Decode(&out)
	if err == nil || errors.Is(err, io.EOF) { // an empty file
		return out, nil
	}
	message := err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		message = e.GetMessage()
		if token := e.GetToken(); token != nil && token.Position != nil {
			message = lang.F("%v번째 줄 %v번째 글자: %s", "line %v, column %v: %s", token.Position.Line, token.Position.Column, message).In(lang.FromEnv())
		}
	}
	return out, problem.New("config.invalid", 400, lang.F("설정 파일을 읽을 수 없습니다: %s (%s)", "the file of settings %s can't be read: %s", path, strings.TrimSpace(message))).
		Hinting(lang.T("쓸 수 있는 항목: data, database, listen, city (ko, en), fetch", "its keys: data, database, listen, city (ko, en), fetch"))
}

// reason is what an operating system's error says, without the path and the call, which the sentence around it names.
func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
