package identity

import (
	"slices"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Role is what an official does for the city.
type Role string

// The roles.
const (
	Author        Role = "author"             // writes manifests
	Steward       Role = "steward"            // answers for datasets
	Caseworker    Role = "caseworker"         // decides cases
	Analyst       Role = "analyst"            // looks at many
	Privacy       Role = "privacy-officer"    // 개인정보 보호책임자 (개인정보보호법 제31조)
	Governance    Role = "governance-officer" // reviews projects
	Administrator Role = "administrator"      // keeps the platform running

	service Role = "service" // what service accounts have
)

// Roles lists the roles that officials have.
var Roles = []Role{Author, Steward, Caseworker, Analyst, Privacy, Governance, Administrator}

// Title is the role's name.
func (r Role) Title() lang.Text { return roleTitles[r] }

var roleTitles = map[Role]lang.Text{
	Author: lang.T("작성자", "author"), Steward: lang.T("데이터 관리자", "steward"), Caseworker: lang.T("담당자", "caseworker"), Analyst: lang.T("분석가", "analyst"),
	Privacy: lang.T("개인정보 보호책임자", "privacy officer"), Governance: lang.T("거버넌스 담당관", "governance officer"), Administrator: lang.T("운영자", "administrator"),
}

// Act is something a principal does.
type Act string

// The acts.
const (
	SeeCatalog     Act = "catalog.see"        // the console: what there is
	PlanChange     Act = "catalog.plan"       // see what a change would do
	Change         Act = "catalog.change"     // apply it
	Rollback       Act = "catalog.rollback"   // go back to a revision of the whole city
	ReadInternal   Act = "records.internal"   // read fields up to class internal
	ReadPersonal   Act = "records.personal"   // and above, without an agreement
	Write          Act = "records.write"      // records and imports
	Reveal         Act = "records.reveal"     // show a masked value on a page
	SeeAgreements  Act = "agreements.see"     // who may read what
	ApproveSteward Act = "agreements.steward" // approve for the provider
	ApprovePrivacy Act = "agreements.privacy" // approve as privacy officer
	Halt           Act = "agreements.halt"    // suspend, resume, revoke
	Renew          Act = "agreements.renew"   // ask for a longer term
	ReadGoverned   Act = "reads"              // read by an agreement
	DecideCases    Act = "cases"              // of the agency's own services
	SeeLog         Act = "log.see"            // the state of the log
	CutOff         Act = "agency.cut-off"     // stop all reads of an agency
	RotateKeys     Act = "keys.rotate"        // seal values by a new key from now on
)

// Acts lists the acts.
var Acts = []Act{SeeCatalog, PlanChange, Change, Rollback, ReadInternal, ReadPersonal, Write, Reveal, SeeAgreements, ApproveSteward, ApprovePrivacy, Halt, Renew, ReadGoverned, DecideCases, SeeLog, CutOff, RotateKeys}

// reach says how far a role may do an act.
type reach int

const (
	own  reach = 1 // in the projects of the agency, and of those below it; of a service account: in its project
	city reach = 2 // everywhere
)

// table is who may do what. What isn't in it may not be done.
var table = map[Role]map[Act]reach{
	Author:        {SeeCatalog: city, PlanChange: city, Change: own, ReadInternal: own, Write: own, SeeAgreements: city, Halt: own, Renew: own},
	Steward:       {SeeCatalog: city, PlanChange: city, ReadInternal: own, ReadPersonal: own, Write: own, Reveal: own, SeeAgreements: city, ApproveSteward: own, Halt: own},
	Caseworker:    {SeeCatalog: city, ReadInternal: own, ReadPersonal: own, Reveal: own, ReadGoverned: own, DecideCases: own},
	Analyst:       {SeeCatalog: city, ReadInternal: own, SeeAgreements: city, ReadGoverned: own},
	Privacy:       {SeeCatalog: city, SeeAgreements: city, ApprovePrivacy: city, Halt: city, SeeLog: city, CutOff: city},
	Governance:    {SeeCatalog: city, PlanChange: city, SeeAgreements: city, SeeLog: city, CutOff: city},
	Administrator: {SeeCatalog: city, PlanChange: city, Change: city, Rollback: city, ReadInternal: city, Write: city, SeeAgreements: city, SeeLog: city, CutOff: city, RotateKeys: city},
	service:       {SeeCatalog: city, ReadInternal: own, ReadPersonal: own, Write: own, ReadGoverned: own},
}

// Place is whose something is: a project, and the agency that owns it with those above it. The zero Place is the city's.
type Place struct {
	Project string
	Owners  []string
}

// May reports whether a principal may do an act in a place.
func (p *Principal) May(act Act, in Place) bool {
	switch p.Kind {
	case Program:
		return true
	case Service:
		r := table[service][act]
		return r == city || r == own && p.Project != "" && p.Project == in.Project
	case Official:
		return slices.ContainsFunc(p.Roles, func(role Role) bool {
			if role == service {
				return false
			}
			r := table[role][act]
			return r == city || r == own && p.Agency != "" && slices.Contains(in.Owners, p.Agency)
		})
	}
	return false
}

// Need is nil where a principal may do an act in a place, and otherwise a problem: auth.needed for those who aren't signed in, auth.refused
// for all others.
func (p *Principal) Need(act Act, in Place) error {
	if p.May(act, in) {
		return nil
	}
	return p.Refused()
}

// Refused is the problem that a principal may not do what it asks for.
func (p *Principal) Refused() error {
	if !p.SignedIn() {
		return problem.New("auth.needed", 401, lang.T("로그인이 필요합니다", "you need to sign in")).
			Hinting(lang.T("화면에서는 로그인하고, 프로그램은 Authorization: Bearer 토큰을 보내십시오. 명령줄에서는 maru login을 실행하십시오", "sign in on the pages; programs send Authorization: Bearer; on the command line: maru login"))
	}
	refused := problem.New("auth.refused", 403, lang.T("이 일을 할 권한이 없습니다", "you may not do this"))
	if p.Kind == Citizen {
		return refused.Hinting(lang.T("공무원이 업무에 쓰는 기능입니다", "it is for officials at work"))
	}
	return refused.
		Hinting(lang.T("업무에 필요하시면 기관의 운영자에게 권한을 요청하십시오 (역할별 권한: docs/roles.md)", "if your work needs it, ask your agency's administrator (docs/roles.md says which roles may)"))
}
