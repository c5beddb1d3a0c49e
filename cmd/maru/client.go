package main

import (
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

const standardServer = "http://127.0.0.1:8700"

// client talks to a server.
type client struct {
	server string // without a slash at the end
	reader lang.Tag
	token  string // shown to the server, if there is one
	http   http.Client
}

// maxAnswer is how large an answer the client reads into memory, in bytes.
const maxAnswer = 512 << 20

// serverFlag declares --server and returns what makes the client once the command line is known.
func serverFlag(c *cobra.Command, reader lang.Tag) func() (*client, error) {
	server := c.Flags().String("server", "", lang.F("서버 주소 [MARU_SERVER] (기본 %s)", "address of the server [MARU_SERVER] (default %s)", standardServer).In(reader))
	return func() (*client, error) {
		for _, s := range []string{*server, os.Getenv("MARU_SERVER"), standardServer} {
			if s != "" {
				return newClient(s, reader)
			}
		}
		return nil, nil // can't be: the last one is something
	}
}

func newClient(server string, reader lang.Tag) (*client, error) {
	u, err := url.Parse(server)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, problem.New("server.address", 400, lang.F("올바른 서버 주소가 아닙니다: %q", "%q isn't the address of a server", server)).
			Hinting(lang.F("주소의 예: %s", "write it as %s", standardServer))
	}
	c := &client{server: strings.TrimRight(server, "/"), reader: reader, http: http.Client{Timeout: 30 * time.Minute}}
	if c.token = tokenFor(c.server); c.token != "" {
		return c, exposed(u)
	}
	return c, nil
}

// get reads an answer into out.
func (c *client) get(ctx context.Context, path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.call(ctx, http.MethodGet, path, nil, out)
}

// call sends in as JSON, if it is something, and reads the answer into out. What the server says is wrong is a problem again.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	if in == nil {
		return c.send(ctx, method, path, "", nil, out)
	}
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	return c.send(ctx, method, path, "application/json", bytes.NewReader(text), out)
}

// send sends a body of a media type and reads the answer into out, unless that is nil.
func (c *client) send(ctx context.Context, method, path, media string, body io.Reader, out any) error {
	res, err := c.do(ctx, method, path, media, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return c.strange()
	}
	return nil
}

// save writes an answer to a file, which is there whole or not at all.
func (c *client) save(ctx context.Context, path, file string) error {
	res, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	f, err := os.CreateTemp(filepath.Dir(file), ".maru-*")
	if err != nil {
		return noFile(file, err)
	}
	defer os.Remove(f.Name()) // where it has been renamed there is nothing to remove
	if _, err := io.Copy(f, res.Body); err != nil {
		f.Close()
		return fmt.Errorf("save %s: %w", file, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("save %s: %w", file, err)
	}
	return os.Rename(f.Name(), file)
}

// do asks the server; an answer that says what is wrong is a problem.
func (c *client) do(ctx context.Context, method, path, media string, body io.Reader) (*http.Response, error) {
	return c.ask(ctx, method, "/api/v1"+path, media, body)
}

// plain asks for what isn't of the API, with a form where there is one, and lets read have the answer.
func (c *client) plain(ctx context.Context, method, path string, form url.Values, read func(io.Reader) error) error {
	media := ""
	if form != nil {
		media = "application/x-www-form-urlencoded"
	}
	res, err := c.ask(ctx, method, path, media, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return read(res.Body)
}

func (c *client) ask(ctx context.Context, method, path, media string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Accept-Language", string(c.reader))
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if res.StatusCode >= 400 {
		defer res.Body.Close()
		return nil, c.refused(res, io.LimitReader(res.Body, maxAnswer))
	}
	return res, nil
}

func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	why := err
	var u *url.Error
	if errors.As(err, &u) {
		why = u.Err
	}
	return problem.New("server.unreachable", 503, lang.F("마루 서버에 연결할 수 없습니다: %s (%s)", "the Maru server at %s can't be reached: %s", c.server, why.Error())).
		Hinting(lang.T("maru demo나 maru serve로 서버를 실행하거나 --server로 주소를 지정하세요", "start one with maru demo or maru serve, or give its address with --server"))
}

func (c *client) strange() error {
	return problem.New("server.strange", 502, lang.F("마루 서버가 아닌 곳에서 응답했습니다: %s", "the answer of %s isn't a Maru server's", c.server)).
		Hinting(lang.T("--server의 주소를 확인하세요", "check the address in --server"))
}

// refused reads a problem as the server wrote it: in the one language that was asked for.
func (c *client) refused(res *http.Response, answer io.Reader) error {
	var p struct {
		Code, Detail, Hint string
		Errors             []struct{ Code, Where, Message, Hint string }
	}
	if json.NewDecoder(answer).Decode(&p) != nil || p.Code == "" {
		return c.strange()
	}
	out := problem.New(p.Code, res.StatusCode, lang.Text{Ko: p.Detail}).Hinting(lang.Text{Ko: p.Hint})
	for _, e := range p.Errors {
		out.At = append(out.At, problem.Detail{Code: e.Code, Where: e.Where, Message: lang.Text{Ko: e.Message}, Hint: lang.Text{Ko: e.Hint}})
	}
	return out
}

// pageAnswer is a page of a list.
type pageAnswer[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// all reads every page of a list, at most limit items (0: all).
func all[T any](ctx context.Context, c *client, path string, query url.Values, limit int) ([]T, error) {
	out := []T{}
	for {
		if limit > 0 {
			query.Set("limit", fmt.Sprint(min(limit-len(out), 1000)))
		}
		var page pageAnswer[T]
		if err := c.get(ctx, path, query, &page); err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if page.Next == "" || (limit > 0 && len(out) >= limit) {
			return out, nil
		}
		query.Set("cursor", page.Next)
	}
}
