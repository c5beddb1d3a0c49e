package registry

import (
	"context"
	"fmt"
	"path"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/source"
)

// Plan implements catalog.Follower.
func (r *Registry) Plan(ctx context.Context, tx *db.Tx, before, after *catalog.Snapshot, who *identity.Principal, allowLoss bool) (steps []catalog.Step, findings []manifest.Finding, err error) {
	for _, d := range after.Datasets() {
		old := before.Dataset(d.Project, d.Name)
		if old == nil || old.Resource != d.Resource {
			findings = append(findings, expressions(d)...)
		}
		if old == nil {
			steps = append(steps, createStep(d))
			continue
		}
		s := shapeOf(old, d)
		if s == nil {
			continue
		}
		t, err := r.table(ctx, tx, old)
		if err != nil {
			return nil, nil, err
		}
		v := planning(who, before.Place(old.Project))
		if v.looks {
			p, err := t.refuseOpened(ctx, tx, d)
			if err != nil {
				return nil, nil, err
			}
			if p != nil {
				for _, at := range p.At {
					findings = append(findings, d.Resource.Finding(manifest.Error, at.Code, "fields."+at.Where, at.Message, at.Hint))
				}
			}
		}
		if v.looks {
			if err := s.refuseExposed(ctx, tx, t, v); problem.As(err) != nil {
				p := problem.As(err)
				findings = append(findings, d.Resource.Finding(manifest.Error, p.Code, "fields", p.Detail, p.Hint))
			} else if err != nil {
				return nil, nil, err
			}
		}
		more, faults, err := s.weigh(ctx, tx, t, v, allowLoss)
		if err != nil {
			return nil, nil, err
		}
		steps, findings = append(steps, more...), append(findings, faults...)
	}
	for _, old := range gone(before, after) {
		t, err := r.table(ctx, tx, old)
		if err != nil {
			return nil, nil, err
		}
		if !planning(who, before.Place(old.Project)).looks {
			steps = append(steps, catalog.Step{Of: old.Key(), Text: lang.T("표를 삭제합니다", "drop its table")})
			findings = append(findings, unseen(old))
			continue
		}
		n, err := t.rows(ctx, tx)
		if err != nil {
			return nil, nil, err
		}
		text := lang.F("표를 삭제합니다. 레코드 %d건과 그 이력은 서버의 자료 폴더에 보관합니다: %s", "drop its table; its %d records and their history are kept in %s", n, "files/"+path.Dir(keepKey(t, after.Revision, "")))
		if n == 0 {
			text = lang.T("빈 표를 삭제합니다", "drop its empty table")
		}
		steps = append(steps, catalog.Step{Of: old.Key(), Text: text, Loses: n})
		if n > 0 && !allowLoss {
			findings = append(findings, old.Resource.Finding(manifest.Error, "dataset.loss", "name", lang.F("‘%[1]s’ 데이터셋을 삭제하면 레코드 %[2]d건을 잃습니다", "without the dataset %[1]s its %[2]d records are lost", old.Path(), n), withLoss))
		}
	}
	return steps, findings, nil
}

// expressions says what is wrong with the expressions of a dataset's source, and whether nothing reads it by itself.
func expressions(d *catalog.Dataset) (out []manifest.Finding) {
	if s := d.Spec.Source; s != nil && s.Schedule == "" && s.Publication == "" && s.File == "" {
		out = append(out, d.Resource.Finding(manifest.Note, "source.schedule", "source", lang.F("schedule이 없어 스스로 읽지 않습니다: %s", "without a schedule it isn't read by itself: %s", d.Path()), lang.T("schedule: every 15m처럼 쓰거나, 콘솔에서 ‘지금 읽기’를 누르십시오", "write schedule: every 15m, for one, or have it read in the console")))
	}
	_, err := source.NewTransform(d.Spec.Source)
	p := problem.As(err)
	if p == nil {
		return out
	}
	for _, at := range p.At {
		out = append(out, d.Resource.Finding(manifest.Error, at.Code, at.Where, at.Message, p.Hint))
	}
	return out
}

// unseen says that a plan tells nothing of a dataset's records.
func unseen(d *catalog.Dataset) manifest.Finding {
	return d.Resource.Finding(manifest.Note, "dataset.unseen", "", lang.F("레코드가 맞는지는 이 사업을 바꿀 수 있는 사람의 계획에서만 확인합니다: %s", "whether the records of %s fit is told only to those who may change its project", d.Path()), lang.Text{})
}

var withLoss = lang.T("그래도 하시려면 --allow-data-loss를 붙이십시오. 삭제하기 전에 파일로 보관합니다", "add --allow-data-loss to do it all the same; what goes is first written to a file")

// gone lists the datasets that are no longer there.
func gone(before, after *catalog.Snapshot) (out []*catalog.Dataset) {
	for _, d := range before.Datasets() {
		if after.Dataset(d.Project, d.Name) == nil {
			out = append(out, d)
		}
	}
	return out
}

// Apply implements catalog.Follower. What the data say against it is looked at again, for they may have changed since the plan.
func (r *Registry) Apply(ctx context.Context, tx *db.Tx, before, after *catalog.Snapshot, who *identity.Principal, allowLoss bool) error {
	for _, old := range gone(before, after) {
		if err := r.drop(ctx, tx, old, after.Revision, allowLoss); err != nil {
			return err
		}
	}
	for _, d := range after.Datasets() {
		old := before.Dataset(d.Project, d.Name)
		if old == nil {
			if err := r.create(ctx, tx, d); err != nil {
				return err
			}
			continue
		}
		s := shapeOf(old, d)
		if s == nil {
			continue
		}
		if err := r.reshape(ctx, tx, s, applying(who, before.Place(old.Project)), allowLoss); err != nil {
			return err
		}
	}
	return nil
}

// refuse says that a plan can't be applied to the data as they have become.
func refuse(f manifest.Finding) error {
	p := problem.New("plan.data", 409, lang.F("계획을 만든 뒤 자료가 바뀌어 적용할 수 없습니다: %s", "the data have changed since the plan, so it can't be applied: %s", f.Message))
	return p.Hinting(lang.T("maru plan을 다시 실행하십시오", "plan again"))
}

// reshape changes a table to its dataset's next shape.
func (r *Registry) reshape(ctx context.Context, tx *db.Tx, s *shape, v sight, allowLoss bool) error {
	t, err := r.table(ctx, tx, s.before)
	if err != nil {
		return err
	}
	if err := tx.Lock(ctx, "records "+t.Path()); err != nil {
		return fmt.Errorf("lock the records of %s: %w", t.Path(), err)
	}
	if err := s.refuseExposed(ctx, tx, t, v); err != nil {
		return err
	}
	if p, err := t.refuseOpened(ctx, tx, s.after); err != nil || p != nil {
		if p != nil {
			err = p
		}
		return err
	}
	_, findings, err := s.weigh(ctx, tx, t, v, allowLoss)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if f.Severity == manifest.Error {
			return refuse(f)
		}
	}
	next := r.tableOf(s.after, t.id, t.built)
	next.keyed = t.keyed
	for _, i := range s.dropped {
		if err := r.keepColumn(ctx, tx, t, &s.before.Fields[i], s.after.Revision); err != nil {
			return err
		}
	}
	if err := s.noteGone(ctx, tx, t); err != nil {
		return err
	}
	if s.rebuilds() {
		next = r.tableOf(s.after, t.id, s.after.Revision)
		next.keyed = t.keyed
		err = s.rebuild(ctx, tx, t, next)
	} else {
		err = s.alter(ctx, tx, t, next)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE dataset_table SET shaped = ?, built = ?, keyed = ? WHERE id = ?", s.after.Revision, next.built, next.keyed, t.id); err != nil {
		return fmt.Errorf("note the shape of %s: %w", t.Path(), err)
	}
	return t.skip(ctx, tx)
}

// drop takes a dataset's table away, after its rows are written to files.
func (r *Registry) drop(ctx context.Context, tx *db.Tx, d *catalog.Dataset, revision int64, allowLoss bool) error {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return err
	}
	if err := tx.Lock(ctx, "records "+t.Path()); err != nil {
		return fmt.Errorf("lock the records of %s: %w", t.Path(), err)
	}
	n, err := t.rows(ctx, tx)
	if err != nil {
		return err
	}
	if n > 0 && !allowLoss {
		return refuse(d.Resource.Finding(manifest.Error, "dataset.loss", "name", lang.F("레코드가 남아 있는 데이터셋입니다: %s", "the dataset %s has records", d.Path()), withLoss))
	}
	if n > 0 {
		if err := r.keepRecords(ctx, tx, t, revision); err != nil {
			return err
		}
	}
	if err := r.keepHistory(ctx, tx, t, revision); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DROP TABLE "+t.name); err != nil {
		return fmt.Errorf("drop the table of %s: %w", t.Path(), err)
	}
	for _, statement := range []string{
		"DELETE FROM import_rejected WHERE run IN (SELECT id FROM import_run WHERE dataset_id = ?)", "DELETE FROM import_run WHERE dataset_id = ?",
		"DELETE FROM former WHERE dataset_id = ?", "DELETE FROM name_gone WHERE dataset_id = ?", "DELETE FROM profile WHERE dataset_id = ?", "DELETE FROM outbox WHERE dataset_id = ?", "DELETE FROM source_state WHERE dataset_id = ?", "DELETE FROM replica_gone WHERE dataset_id = ?", "DELETE FROM replica_refused WHERE dataset_id = ?", "DELETE FROM change WHERE dataset_id = ?", "DELETE FROM dataset_table WHERE id = ?",
	} {
		if _, err := tx.Exec(ctx, statement, t.id); err != nil {
			return fmt.Errorf("drop the table of %s: %w", t.Path(), err)
		}
	}
	return nil
}
