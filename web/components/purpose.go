package components

import (
	"context"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// purposes are the purposes of agreements that have a name; others are shown as they are written.
var purposes = map[string]lang.Text{
	"eligibility": lang.T("자격 확인", "checking eligibility"), "statistics": lang.T("통계 작성", "statistics"), "analysis": lang.T("정책 분석", "policy analysis"), "research": lang.T("연구", "research"),
	"payment": lang.T("지급", "payment"), "recovery": lang.T("환수", "recovery"), "audit": lang.T("감사", "audit"), "safety": lang.T("안전 관리", "public safety"), "notification": lang.T("안내", "telling people"),
}

// Purpose is what a purpose is called.
func Purpose(name string) lang.Text {
	if x, ok := purposes[name]; ok {
		return x
	}
	return lang.T(name, name)
}

// WhatFor is what an agreement is for: in its own words, or else by the name of its purpose.
func WhatFor(a *manifest.Agreement) lang.Text {
	if !a.About.Empty() {
		return a.About
	}
	return Purpose(a.Purpose)
}

// Rate writes how often an agreement may be read by: 1분에 600번까지, up to 600 a minute. No limit is none.
func Rate(ctx context.Context, a *manifest.Agreement) string {
	n, in := a.Rate()
	each, ok := map[time.Duration]lang.Text{
		time.Second: lang.T("1초", "a second"), time.Minute: lang.T("1분", "a minute"), time.Hour: lang.T("1시간", "an hour"), 24 * time.Hour: lang.T("하루", "a day"),
	}[in]
	if !ok {
		return Say(ctx, "없음", "none")
	}
	return Sayf(ctx, "%[1]s에 %[2]s번까지", "up to %[2]s %[1]s", each, Number(n))
}
