package main

import (
	"io"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/tabular"
)

// openTable opens a file as the source of a dataset says.
func openTable(file io.ReaderAt, size int64, name string, d *catalog.Dataset) (*registry.TableFile, error) {
	t, err := tabular.Open(file, size, name, tableOptions(d.Spec.Source))
	if err != nil {
		return nil, err
	}
	out := &registry.TableFile{Columns: t.Columns, Read: t.Read, Rows: func(yield func(registry.TableRow, error) bool) {
		t.Rows()(func(r tabular.Row, err error) bool { return yield(registry.TableRow(r), err) })
	}}
	out.Notes = notesOf(t)
	return out, nil
}

// tableOptions is how a source says its file is to be read.
func tableOptions(s *manifest.Source) tabular.Options {
	if s == nil {
		return tabular.Options{}
	}
	return tabular.Options{Sheet: s.Sheet, Header: s.Header, Skip: s.Skip, Encoding: s.Encoding, Items: s.Items}
}

// notesOf are the notes of a table.
func notesOf(t *tabular.Table) (out []lang.Text) {
	for _, n := range t.Notes {
		out = append(out, n.Text)
	}
	return out
}
