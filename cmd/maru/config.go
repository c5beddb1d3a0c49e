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
	"github.com/maru-city/maru/identity"
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
	URL      string   `yaml:"url"`      // by which it is reached: https://maru.city.example
	TLSCert  string   `yaml:"tls_cert"` // files of its certificate and key; without them it speaks plain HTTP
	TLSKey   string   `yaml:"tls_key"`
	Keys     string   `yaml:"keys"`      // folder of the installation's keys; empty: keys in Data
	Log      string   `yaml:"log"`       // name (origin) of the log of receipts
	Witness  []string `yaml:"witnesses"` // public keys of those whose signatures the log's checkpoints take
	Identity struct {
		Issuer   string          `yaml:"issuer"` // of the OpenID Connect provider; empty: whoever reaches the loopback address may do everything
		ClientID string          `yaml:"client_id"`
		Secret   string          `yaml:"client_secret_file"` // a file that holds it
		Audience string          `yaml:"audience"`
		Claims   identity.Claims `yaml:"claims"`
	} `yaml:"identity"`
	Events string   `yaml:"events"` // host:port on which events are read by NATS; empty: only webhooks get them
	Fetch  []string `yaml:"fetch"`  // networks beside the public ones in which sources may lie, such as 10.0.0.0/8

	Demo      bool   `yaml:"-"` // pages say that they are a demonstration
	seed      uint64 // its people are made from, and how many they are
	residents int
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
	{"url", "MARU_URL", "", lang.T("이 서버에 접속하는 주소 (기본: 요청을 받는 주소)", "by which address it is reached (default: the one it listens on)"), func(c *config) *string { return &c.URL }},
	{"issuer", "MARU_ISSUER", "", lang.T("로그인을 맡은 OpenID Connect 주소", "the OpenID Connect provider"), func(c *config) *string { return &c.Identity.Issuer }},
	{"tls-cert", "MARU_TLS_CERT", "", lang.T("TLS 인증서 파일", "file of the TLS certificate"), func(c *config) *string { return &c.TLSCert }},
	{"tls-key", "MARU_TLS_KEY", "", lang.T("TLS 개인 키 파일", "file of its private key"), func(c *config) *string { return &c.TLSKey }},
	{"events", "MARU_EVENTS", "", lang.T("NATS로 알림(이벤트)을 받을 주소 (예: 127.0.0.1:4222). 비우면 웹훅으로만 보냅니다", "address on which events are read by NATS, such as 127.0.0.1:4222; without it only webhooks get them"), func(c *config) *string { return &c.Events }},
	{"keys", "MARU_KEYS", "", lang.T("키 폴더 (기본: 자료 폴더의 keys)", "folder of keys (default: keys in the data folder)"), func(c *config) *string { return &c.Keys }},
	{"listen", "MARU_LISTEN", "127.0.0.1:8700", lang.T("요청을 받을 주소. --issuer와 TLS가 없으면 이 컴퓨터의 주소만 쓸 수 있습니다", "address to listen on; without --issuer and TLS only one of this machine"), func(c *config) *string { return &c.Listen }},
}

// configFlags declares the flags of a server, whose data lie in folder unless said otherwise, and returns what reads the settings once the command
// line is known.
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
		if out.Keys == "" {
			out.Keys = filepath.Join(out.Data, "keys")
		}
		if out.Log == "" {
			out.Log = "maru/log"
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
		Hinting(lang.T("쓸 수 있는 항목: data, database, listen, url, tls_cert, tls_key, keys, log, witnesses, identity, city (ko, en), events, fetch", "its keys: data, database, listen, url, tls_cert, tls_key, keys, log, witnesses, identity, city (ko, en), events, fetch"))
}

// reason is what an operating system's error says, without the path and the call, which the sentence around it names.
func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
