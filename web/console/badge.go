package console

import (
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// classes are the badges of protection classes, in the words of the law.
var classes = map[manifest.Class]components.BadgeText{
	manifest.Public:    {Text: lang.T("공개", "public"), Tone: "success"},
	manifest.Internal:  {Text: lang.T("내부", "internal"), Tone: "gray"},
	manifest.Personal:  {Text: lang.T("개인정보", "personal"), Tone: "warning"},
	manifest.Sensitive: {Text: lang.T("민감정보", "sensitive"), Tone: "danger"},
	manifest.Unique:    {Text: lang.T("고유식별정보", "unique identifier"), Tone: "danger"},
}

// lifecycles are the badges of a project's stages.
var lifecycles = map[string]components.BadgeText{
	"":         {Text: lang.T("구상", "idea"), Tone: "gray"},
	"idea":     {Text: lang.T("구상", "idea"), Tone: "gray"},
	"pilot":    {Text: lang.T("시범", "pilot"), Tone: "information"},
	"live":     {Text: lang.T("운영", "live"), Tone: "success"},
	"retiring": {Text: lang.T("종료 준비", "retiring"), Tone: "warning"},
	"retired":  {Text: lang.T("종료", "retired"), Tone: "gray"},
}

// grades are the badges of N2SF's security grades.
var grades = map[string]components.BadgeText{
	"open":       {Text: lang.T("공개(O)", "open (O)"), Tone: "success"},
	"sensitive":  {Text: lang.T("민감(S)", "sensitive (S)"), Tone: "warning"},
	"classified": {Text: lang.T("기밀(C)", "classified (C)"), Tone: "danger"},
}

// importStates are the badges of imports.
var importStates = map[registry.ImportState]components.BadgeText{
	registry.Receiving: {Text: lang.T("받는 중", "receiving"), Tone: "information"},
	registry.Waiting:   {Text: lang.T("대기", "waiting"), Tone: "information"},
	registry.Running:   {Text: lang.T("진행 중", "running"), Tone: "information"},
	registry.Held:      {Text: lang.T("확인 필요", "to be looked at"), Tone: "warning"},
	registry.Done:      {Text: lang.T("완료", "done"), Tone: "success"},
	registry.Failed:    {Text: lang.T("실패", "failed"), Tone: "danger"},
}

// dryRun is the badge of an import that wrote nothing.
var dryRun = components.BadgeText{Text: lang.T("미리 보기, 저장 안 함", "dry run, nothing written"), Tone: "gray"}

// levels are what units of organisation are called.
var levels = map[string]lang.Text{
	"city":             lang.T("본청", "city hall"),
	"bureau":           lang.T("실·국·본부", "bureau"),
	"division":         lang.T("과·담당관", "division"),
	"team":             lang.T("팀", "team"),
	"district":         lang.T("자치구", "district"),
	"community-centre": lang.T("동주민센터", "community centre"),
	"affiliate":        lang.T("투자·출연기관", "affiliate"),
	"ministry":         lang.T("중앙부처", "ministry"),
}

// typeNames are what types of values are called.
var typeNames = map[manifest.Type]lang.Text{
	manifest.String:   lang.T("문자", "text"),
	manifest.Int:      lang.T("정수", "whole number"),
	manifest.Double:   lang.T("실수", "number"),
	manifest.Bool:     lang.T("예·아니요", "yes or no"),
	manifest.Date:     lang.T("날짜", "date"),
	manifest.Datetime: lang.T("일시", "date and time"),
	manifest.Geometry: lang.T("도형", "shape"),
}

// hidden reports whether values of a class aren't shown in the console.
func hidden(c manifest.Class) bool { return c.AtLeast(manifest.Personal) }
