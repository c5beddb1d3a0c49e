package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Receive takes the part of an import's file that begins at offset, which must be where the last one ended. It returns the import as it then is:
// when all is here, it waits to be run.
func (r *Registry) Receive(ctx context.Context, id, offset int64, part io.Reader) (*Import, error) {
	i, err := r.Import(ctx, id)
	if err != nil {
		return nil, err
	}
	if i.State != Receiving || offset != i.Received {
		p := problem.New("import.offset", 409, lang.F("다음 조각은 %d바이트 위치에서 시작해야 합니다", "the next part must begin at byte %d", i.Received)).
			Hinting(lang.T("received 값부터 다시 보내십시오", "go on from received"))
		p.With = map[string]any{"received": i.Received, "state": i.State}
		return nil, p
	}
	want := min(ChunkBytes, i.Size-offset)
	n, err := r.files.Put(ctx, chunkKey(id, offset/ChunkBytes), io.LimitReader(part, want+1))
	if err != nil {
		return nil, fmt.Errorf("keep a part of import %d: %w", id, err)
	}
	if n != want {
		return nil, problem.New("import.part", 400, lang.F("조각의 크기가 다릅니다 (필요한 크기 %[1]d바이트, 보낸 크기 %[2]d바이트)", "this part must have %[1]d bytes, it has %[2]d", want, n)).
			Hinting(lang.F("마지막 조각을 빼고 %d바이트씩 보내십시오", "send parts of %d bytes, except the last", ChunkBytes))
	}
	state := Receiving
	if offset+n == i.Size {
		state = Waiting
	}
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE import_run SET received = ?, state = ? WHERE id = ? AND received = ? AND state = ?", offset+n, state, id, offset, Receiving)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("note a part of import %d: %w", id, err)
	}
	return r.Import(ctx, id)
}

func chunkKey(id, n int64) string { return fmt.Sprintf("imports/%d/%08d", id, n) }

// forget deletes the parts of an import's file.
func (r *Registry) forget(ctx context.Context, i *Import) error {
	for n := int64(0); n*ChunkBytes < i.Size; n++ {
		if err := r.files.Delete(ctx, chunkKey(i.ID, n)); err != nil {
			return fmt.Errorf("delete the file of import %d: %w", i.ID, err)
		}
	}
	return nil
}

// uploadLife is how long a file may be on its way.
const uploadLife = 7 * 24 * time.Hour

// Sweep ends the imports whose files never came whole, and deletes what came of them.
func (r *Registry) Sweep(ctx context.Context) error {
	var old []*Import
	err := r.db.Read(ctx, func(tx *db.Tx) (err error) {
		old, err = r.importRuns(ctx, tx, "state = ? AND started < ?", Receiving, manifest.FormatDatetime(r.now().Add(-uploadLife)))
		return err
	})
	if err != nil {
		return err
	}
	for _, i := range old {
		if err := r.end(ctx, i, Failed, lang.T("파일이 끝까지 전송되지 않아 7일 뒤에 삭제했습니다", "the file never came whole and was deleted after seven days")); err != nil {
			return err
		}
	}
	return nil
}

// upload reads the file of an import from its parts, a few of which it keeps in memory.
type upload struct {
	ctx   context.Context
	files blob.Store
	id    int64
	size  int64
	kept  []chunk // the last used first
}

type chunk struct {
	n    int64
	data []byte
}

const keptChunks = 2

// ReadAt implements io.ReaderAt. It is not safe for concurrent use.
func (u *upload) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("registry: a negative offset")
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= u.size {
			return n, io.EOF
		}
		c, err := u.chunk(at / ChunkBytes)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], c[at%ChunkBytes:])
	}
	return n, nil
}

func (u *upload) chunk(n int64) ([]byte, error) {
	for i, c := range u.kept {
		if c.n == n {
			copy(u.kept[1:i+1], u.kept[:i])
			u.kept[0] = c
			return c.data, nil
		}
	}
	var data []byte
	if len(u.kept) == keptChunks { // use the memory of the one that was not used for longest
		data = u.kept[keptChunks-1].data
		u.kept = u.kept[:keptChunks-1]
	}
	if int64(cap(data)) < ChunkBytes {
		data = make([]byte, ChunkBytes)
	}
	data = data[:min(ChunkBytes, u.size-n*ChunkBytes)]
	in, _, err := u.files.Open(u.ctx, chunkKey(u.id, n))
	if err != nil {
		return nil, fmt.Errorf("read a part of import %d: %w", u.id, err)
	}
	defer in.Close()
	if _, err := io.ReadFull(in, data); err != nil {
		return nil, fmt.Errorf("read a part of import %d: %w", u.id, err)
	}
	u.kept = append([]chunk{{n, data}}, u.kept...)
	return data, nil
}
