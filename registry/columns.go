package registry

import (
	"iter"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/source"
	"github.com/maru-city/maru/tabular"
)

// columns says which column of a file fills which field of a dataset.
type columns struct {
	dataset *catalog.Dataset
	at      []int // for each field its column, -1 for none
	empty   map[string]bool
	notes   []lang.Text

	names   []string // of the columns
	compute *source.Transform
	row     map[string]string // for compute, used again for each row
}

// matchColumns finds the columns of a dataset's fields: as its source maps them, else by the field's name, its title or its term's, spaces aside. It
// returns a Problem with code import.columns where a required field has none, or no field has one.
func matchColumns(d *catalog.Dataset, names []string) (*columns, error) {
	c := &columns{dataset: d, at: make([]int, len(d.Fields)), empty: map[string]bool{}}
	mapped := map[string]string{}
	compute, err := source.NewTransform(d.Spec.Source)
	if err != nil {
		return nil, err
	}
	if c.names, c.compute = names, compute; compute != nil {
		c.row = make(map[string]string, len(names))
	}
	if s := d.Spec.Source; s != nil {
		mapped = s.Map
		for _, e := range s.Empty {
			c.empty[e] = true
		}
	}
	taken := make([]bool, len(names))
	find := func(fits func(name string) bool) int {
		for i, name := range names {
			if !taken[i] && fits(name) {
				taken[i] = true
				return i
			}
		}
		return -1
	}
	for i := range d.Fields {
		name := d.Fields[i].Name
		if c.at[i] = -1; compute.Sets(name) {
			c.at[i] = computed
			continue
		}
		c.at[i] = find(func(column string) bool { return mapped[column] == name })
	}
	for i := range d.Fields {
		if c.at[i] == -1 {
			c.at[i] = find(func(column string) bool { return mapped[column] == "" && column == d.Fields[i].Name })
		}
	}
	for i := range d.Fields {
		if c.at[i] == -1 {
			c.at[i] = find(func(column string) bool { return mapped[column] == "" && called(&d.Fields[i], column) })
		}
	}
	var missing []problem.Detail
	for i, f := range d.Fields {
		if c.at[i] == -1 && f.Required {
			missing = append(missing, problem.Detail{Code: "import.columns", Where: f.Name, Message: lang.F("필수 항목에 해당하는 열이 없습니다: %s", "the required field %s has no column", f.Name)})
		}
	}
	if len(missing) > 0 || !slices.Contains(taken, true) && compute == nil {
		p := problem.New("import.columns", 422, lang.F("파일의 열이 데이터셋과 맞지 않습니다: %s", "the file's columns don't fit the dataset %s", d.Path())).
			Hinting(lang.F("파일의 열: %s. 이름이 다르면 선언문의 source.map에 쓰십시오", "the file has: %s. Where names differ, map them in the manifest's source.map", strings.Join(names[:min(len(names), 30)], ", ")))
		p.At = missing
		return nil, p
	}
	for i, name := range names {
		if !taken[i] && !strings.HasPrefix(name, "_") && !compute.Uses(name) { // _line and _reason are our own, of a rejected file that was mended
			c.notes = append(c.notes, lang.F("데이터셋에 없는 열은 읽지 않았습니다: %q", "the column %q isn't in the dataset and was left out", name))
		}
	}
	return c, nil
}

// computed stands for a column where a field has an expression.
const computed = -2

// takes reports whether a field is filled from a column, or anything is computed from it.
func (c *columns) takes(column int) bool {
	return slices.Contains(c.at, column) || c.compute.Uses(c.names[column])
}

// filled are the fields that have a column, or are computed.
func (c *columns) filled() (out []string) {
	for i, at := range c.at {
		if at != -1 {
			out = append(out, c.dataset.Fields[i].Name)
		}
	}
	return out
}

// lay makes cells the row that expressions read.
func (c *columns) lay(cells []string) {
	for i, name := range c.names {
		if i < len(cells) && !c.empty[cells[i]] {
			c.row[name] = cells[i]
		} else {
			c.row[name] = ""
		}
	}
}

// takesRow reports whether the row of these cells is taken.
func (c *columns) takesRow(cells []string) (bool, *lang.Text) {
	if c.compute == nil {
		return true, nil
	}
	c.lay(cells)
	return c.compute.Takes(c.row)
}

// rows are those rows of a file that are taken.
func (c *columns) rows(file *tabular.Table) iter.Seq2[tabular.Row, error] {
	if c.compute == nil {
		return file.Rows()
	}
	return func(yield func(tabular.Row, error) bool) {
		for row, err := range file.Rows() {
			if err == nil && row.Fault.Empty() {
				takes, fault := c.takesRow(row.Cells)
				if fault != nil {
					row.Fault = *fault
				} else if !takes {
					continue
				}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// called reports whether a column bears one of the field's names for people.
func called(f *catalog.Field, column string) bool {
	names := []string{f.Name, f.Title.Ko, f.Title.En}
	if f.Cites != nil {
		names = append(names, f.Cites.Title.Ko, f.Cites.Title.En)
		names = append(names, f.Cites.Synonyms...)
	}
	folded := catalog.Fold(column)
	return folded != "" && slices.ContainsFunc(names, func(n string) bool { return catalog.Fold(n) == folded })
}

// read makes a row's cells the values of all fields, or says everything that is wrong with them.
func (c *columns) read(cells []string) ([]any, []problem.Detail) {
	row := make([]any, len(c.at))
	var faults []problem.Detail
	if c.compute != nil {
		c.lay(cells)
	}
	for i, at := range c.at {
		f := &c.dataset.Fields[i]
		if at == computed {
			text, fault := c.compute.Compute(f.Name, c.row)
			v, ok := any(nil), true
			switch {
			case fault != nil:
				faults = append(faults, problem.Detail{Code: "source.expression", Where: f.Name, Message: *fault})
				continue
			case text != "":
				v, ok = f.Type.Parse(text)
			}
			if !ok {
				faults = append(faults, *notOfType(f, text))
				continue
			}
			row[i] = v
		}
		if at >= 0 && at < len(cells) && !c.empty[cells[at]] {
			v, ok := f.Type.Parse(cells[at])
			if !ok {
				faults = append(faults, *notOfType(f, cells[at]))
				continue
			}
			row[i] = v
		}
		if fault := check(f, row[i]); fault != nil {
			faults = append(faults, *fault)
		}
	}
	return row, faults
}

// reason writes the faults of a row as one text.
func reason(faults []problem.Detail) lang.Text {
	var ko, en []string
	for _, f := range faults {
		ko = append(ko, f.Where+": "+f.Message.In(lang.Ko))
		en = append(en, f.Where+": "+f.Message.In(lang.En))
	}
	return lang.T(strings.Join(ko, "; "), strings.Join(en, "; "))
}
