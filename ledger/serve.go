package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Path is where the log is read by everyone (C2SP tlog-tiles).
const Path = "/log"

// Handler serves the checkpoint, the tiles, the bundles of entries and the verifier's key below [Path].
func (l *Log) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"/checkpoint", func(w http.ResponseWriter, r *http.Request) {
		h, err := l.Head(r.Context())
		if err != nil {
			httpd.Fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(h.Checkpoint)) // the client went away: nobody to tell
	})
	mux.HandleFunc("GET "+Path+"/key", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(l.key + "\n"))
	})
	mux.HandleFunc("GET "+Path+"/tile/{level}/{n...}", l.tile)
	l.serveCosigned(mux)
	return mux
}

func noTile() error {
	return problem.New("ledger.tile", 404, lang.T("없는 타일입니다", "there is no such tile"))
}

// tile answers for a tile of hashes, or a bundle of entries.
func (l *Log) tile(w http.ResponseWriter, r *http.Request) {
	n, width, err := tilePath(r.PathValue("n"))
	if err != nil {
		httpd.Fail(w, r, noTile())
		return
	}
	var body []byte
	if r.PathValue("level") == "entries" {
		body, err = l.bundle(r.Context(), n, width)
	} else {
		level, bad := strconv.ParseInt(r.PathValue("level"), 10, 64)
		if bad != nil || level < 0 || level > 63/tileHeight || strconv.FormatInt(level, 10) != r.PathValue("level") {
			httpd.Fail(w, r, noTile())
			return
		}
		body, err = l.hashes(r.Context(), tileKey{level, n}, width)
	}
	if err != nil {
		httpd.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // also what is partial is never another
	_, _ = w.Write(body)
}

// tilePath reads the number of a tile, as x001/x234/067, and how wide it is, as 067.p/8.
func tilePath(path string) (n int64, width int, err error) {
	width = tileWidth
	if number, partial, ok := strings.Cut(path, ".p/"); ok {
		path = number
		if width, err = strconv.Atoi(partial); err != nil || width < 1 || width >= tileWidth || strconv.Itoa(width) != partial {
			return 0, 0, errors.New("width")
		}
	}
	parts := strings.Split(path, "/")
	if len(parts) > 6 {
		return 0, 0, errors.New("number")
	}
	for i, p := range parts {
		digits, more := strings.CutPrefix(p, "x")
		if more != (i < len(parts)-1) || len(digits) != 3 || strings.Trim(digits, "0123456789") != "" {
			return 0, 0, errors.New("number")
		}
		d, _ := strconv.ParseInt(digits, 10, 64)
		n = n*1000 + d
	}
	if tileName(n) != path {
		return 0, 0, errors.New("number")
	}
	return n, width, nil
}

// tileName is a tile's number in an address.
func tileName(n int64) string {
	three := func(n int64) string { return ("00" + strconv.FormatInt(n, 10))[len(strconv.FormatInt(n, 10))-1:] }
	out := three(n % 1000)
	for n /= 1000; n > 0; n /= 1000 {
		out = "x" + three(n%1000) + "/" + out
	}
	return out
}

func (l *Log) hashes(ctx context.Context, key tileKey, width int) (body []byte, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, "SELECT hashes FROM log_tile WHERE level = ? AND n = ?", key.level, key.n).Scan(&body)
		if db.NoRows(err) || (err == nil && len(body) < width*tlog.HashSize) {
			return noTile()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return body[:width*tlog.HashSize], nil
}

// bundle is entries one behind the other, each with its length in 16 bits before it.
func (l *Log) bundle(ctx context.Context, n int64, width int) ([]byte, error) {
	var b bytes.Buffer
	count := 0
	err := l.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT body FROM log_entry WHERE n >= ? AND n < ? ORDER BY n", n<<tileHeight, n<<tileHeight+int64(width))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body string
			if err := rows.Scan(&body); err != nil {
				return err
			}
			var size [2]byte
			binary.BigEndian.PutUint16(size[:], uint16(len(body)))
			b.Write(size[:])
			b.WriteString(body)
			count++
		}
		return rows.Err()
	})
	if err == nil && count < width {
		err = noTile()
	}
	return b.Bytes(), err
}
