package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// measure is one figure of docs/performance.md.
type measure struct {
	name string
	goal string
	how  string
	full bool // only with --full: it takes many minutes or much disk
	run  func(ctx context.Context, b *bench) (result string, met bool, err error)
}

// bench is the place where measures are taken: a folder that goes away.
type bench struct {
	dir  string
	say  io.Writer
	self string

	demoMB int               // of the demo's first start
	manyAt *[2]time.Duration // apply and plan of a large catalog
}

// benchCommand measures again what docs/performance.md says.
func benchCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: lang.T("이 컴퓨터에서 성능을 다시 측정합니다", "measure the figures again, on this machine").In(reader),
		Args:  cobra.NoArgs,
	}
	out := c.Flags().StringP("output", "o", "", lang.T("결과를 저장할 파일 (예: docs/performance.md)", "file to write, such as docs/performance.md").In(reader))
	full := c.Flags().Bool("full", false, lang.T("오래 걸리는 측정도 실행합니다 (디스크 20 GB)", "also what takes long (20 GB of disk)").In(reader))
	only := c.Flags().String("only", "", lang.T("하나만 측정합니다", "measure one only").In(reader))
	c.RunE = func(c *cobra.Command, _ []string) error {
		names := make([]string, len(measures))
		for i, m := range measures {
			names[i] = m.name
		}
		if *only != "" && !slices.Contains(names, *only) {
			return problem.New("bench.only", 400, lang.F("없는 측정입니다: %q", "there is no measure %q", *only)).Hinting(lang.F("쓸 수 있는 측정: %s", "there are: %s", strings.Join(names, ", ")))
		}
		dir, err := os.MkdirTemp("", "maru-bench-*")
		if err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		defer os.RemoveAll(dir)
		b := &bench{dir: dir, say: c.ErrOrStderr()}
		if b.self, err = os.Executable(); err != nil {
			return fmt.Errorf("find the program: %w", err)
		}
		rows := [][]string{{"measure", "goal", "result", "met"}}
		var page strings.Builder
		for _, m := range measures {
			if *only != "" && m.name != *only || *only == "" && m.full && !*full {
				continue
			}
			fmt.Fprintln(b.say, m.name, "…")
			result, met, err := m.run(c.Context(), b)
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			yes := "no"
			if met {
				yes = "yes"
			}
			rows = append(rows, []string{m.name, m.goal, result, yes})
			fmt.Fprintf(&page, "| %s | %s | %s | %s | %s |\n", m.name, m.goal, result, yes, m.how)
		}
		table(c.OutOrStdout(), rows)
		if *out == "" {
			return nil
		}
		return os.WriteFile(*out, []byte(performancePage(page.String())), 0o644)
	}
	return c
}

// performancePage is docs/performance.md.
func performancePage(rows string) string {
	memory := "?"
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if kb, err := strconv.Atoi(strings.Fields(string(text))[1]); err == nil {
			memory = fmt.Sprintf("%.1f GB", float64(kb)/1e6)
		}
	}
	return fmt.Sprintf(`# Performance

Written by `+"`maru bench -o docs/performance.md`"+` on %s: %d cores, %s of memory, %s, %s/%s, maru %s. Goals are of the issue that asked for them; they are measured, not asserted in tests.

| measure | goal | result | met | how |
|---|---|---|---|---|
%s`, clock.Real{}.Now().In(clock.Seoul).Format("2006-01-02"), runtime.NumCPU(), memory, runtime.Version(), runtime.GOOS, runtime.GOARCH, version, rows)
}

// child is a maru that runs beside.
type child struct {
	*exec.Cmd
	address string
	ready   time.Duration
}

// start runs a server and waits until it says where it is.
func (b *bench) start(ctx context.Context, args ...string) (*child, error) {
	c := &child{Cmd: exec.CommandContext(ctx, b.self, append(args, "--listen", "127.0.0.1:0")...)}
	c.Env = append(os.Environ(), "MARU_LANG=en", "MARU_CONFIG=", "MARU_DATABASE=")
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "http://"); ok {
			c.ready = time.Since(began)
			c.address = "http://" + strings.TrimRight(strings.Fields(rest)[0], "/")
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return c, nil
		}
	}
	return nil, fmt.Errorf("%s didn't start: %w", args[0], c.Wait())
}

func (c *child) end() {
	_ = c.Process.Signal(syscall.SIGTERM)
	_ = c.Wait()
}

// peakMB is the most memory the child has had, in MB.
func (c *child) peakMB() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return kb >> 10, err
		}
	}
	return 0, fmt.Errorf("the system doesn't say how much memory %d has", c.Process.Pid)
}

// tenColumns writes a CSV of ten columns, made by rule, of n rows or as many as fill size bytes.
func (b *bench) tenColumns(n int64, size int64) (path string, rows int64, err error) {
	path = filepath.Join(b.dir, fmt.Sprintf("ten-%d-%d.csv", n, size))
	f, err := os.Create(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	written := int64(0)
	put := func(s string) {
		k, _ := w.WriteString(s) // Flush tells
		written += int64(k)
	}
	put("id,district,name,address,opened,area,latitude,longitude,code,open\n")
	for ; rows < n || written < size; rows++ {
		put(fmt.Sprintf("%d,%d,시설 %d,서울특별시 종로구 세종대로 %d,2026-%02d-%02d,%.1f,37.%06d,126.%06d,C%04d,%s\n",
			rows, 11110+30*(rows%25), rows, rows%1000, 1+rows%12, 1+rows%28, float64(rows%977)*1.5, 500000+rows%90000, 900000+rows%90000, rows%500, []string{"Y", "N"}[rows%2]))
	}
	return path, rows, w.Flush()
}

// ten is the manifest of such a file.
func ten(name string, history bool) string {
	return fmt.Sprintf(`kind: Dataset
name: %s
title: {ko: 열 개 열, en: Ten columns}
history: %v
key: [id]
index: [[district]]
fields:
  id: {type: int}
  district: {type: string, length: 5}
  name: {type: string, length: 40}
  address: {type: string, length: 100}
  opened: {type: date}
  area: {type: double, min: 0}
  latitude: {type: double}
  longitude: {type: double}
  code: {type: string, pattern: "C[0-9]{4}"}
  open: {type: bool}
`, name, history)
}
