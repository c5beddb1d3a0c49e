package web_test

import "testing"

func TestACitizenAsksThatDataBeOpenedAndIsAnswered(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		c.approve(t, "residents")
		return c
	}, func(w *walk) {
		w.open("/?q=" + "%EC%A3%BC%EB%AF%BC") // 주민
		w.says("main", "아직 공개되지 않은 자료", "Not open yet")
		w.looks("search-closed")
		const page = "/data/resident-registry/residents"
		w.open(page)
		w.says("main", "아직 공개되지 않음", "not open yet")
		w.says("main", "비공개(고유식별정보)", "not open (unique identifier)")
		w.says("main", "로그인하고 요청하기", "Sign in and ask")
		w.says("#agreements", "주택정책과", "Housing Policy Division") // who reads it, and by which law
		w.says("#agreements", "전자정부법 제36조", "전자정부법 제36조")
		w.looks("closed-signed-out")
		w.press("main a.krds-btn.primary")
		w.press(`.maru-accounts button[value="haneul"]`)
		w.at(page)
		w.looks("closed")
		w.Fill("#why", "동네별 인구 변화를 연구하려고 합니다.\n동과 나이대만 있으면 됩니다.")
		w.press("form.maru-form button[type=submit]")
		w.says(".maru-alert.success", "요청을 접수했습니다", "has been received")
		w.says(".maru-request", "검토 중", "being decided")
		w.looks("requests")
		w.open(page)
		w.says(".maru-request", "늦어도", "You will have an answer by")
		w.signedOut()
		w.signedIn("register-steward", "/console")
		w.says("main", "답변을 기다리는 개방 요청", "Requests to open data that wait for you")
		w.open("/console/requests")
		w.says("main", "동네별 인구 변화를", "동네별 인구 변화를")
		w.looks("requests-waiting")
		w.Fill("form.maru-form textarea", "동별·연령대별 인구수로 묶어 12월에 공개합니다.")
		w.press("button[value=grant]")
		w.says(".maru-alert.success", "답변을 보냈습니다", "has been sent")
		w.looks("requests-answered")
		w.signedOut()
		w.signedIn("haneul", "/my/requests")
		w.says(".maru-request", "개방 예정", "will be opened")
		w.says(".maru-request", "12월에 공개합니다", "12월에 공개합니다")
		w.looks("requests-mine")
	})
}

func TestAnOpenDatasetsPageShowsItAll(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { return settled(t) }, func(w *walk) {
		w.open("/data/public-toilets/toilets")
		w.says("main", "GeoJSON", "GeoJSON")
		w.says("#opening", "개방 점검", "Looked at before opening")
		w.says("main", "개인정보로 보이는 값이 없었습니다", "none of their values looks personal")
		if !w.Until("document.querySelector('.maru-places .dots').getAttribute('d').split('M').length > 2") {
			w.t.Error("no places")
		}
		w.looks("data-toilets")
	})
}
