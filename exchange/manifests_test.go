package exchange_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/maru-city/maru/identity"
)

// Those who take part.
var (
	clerk      = official("clerk", "homes", identity.Author)
	steward    = official("register-steward", "records", identity.Steward)
	officer    = official("privacy", "hall", identity.Privacy)
	clerkOfAll = official("clerk", "hall", identity.Author)
	analyst    = official("housing-analyst", "homes", identity.Analyst)
	program    = &identity.Principal{Kind: identity.Service, Account: "housing-app", Name: "주거 지원 시스템", Project: "housing"}
)

func official(account, agency string, roles ...identity.Role) *identity.Principal {
	return &identity.Principal{Kind: identity.Official, Account: account, Name: account, Agency: agency, Roles: roles}
}

func citizen(number int64) *identity.Principal {
	return &identity.Principal{Kind: identity.Citizen, Account: fmt.Sprint("citizen-", number), Name: "김하늘", Person: fmt.Sprint(number)}
}

// people are the town's people, by the city's own numbers. 4 has moved away. 70,000 lies in another block of the bulk receipts.
var people = []struct {
	number, household int64
	name, born        string
	address           any
	district          string
	floor, income     any
	left              any
}{
	{1, 1, "김하늘", "1999-03-14", "서울특별시 종로구 솔빛로 12", "jongno", int64(3), int64(2_499_500), nil},
	{2, 1, "이바다", "1998-12-01", "서울특별시 종로구 솔빛로 12", "jongno", int64(3), int64(0), nil},
	{3, 2, "박솔", "1950-01-31", nil, "jung", nil, nil, nil},
	{4, 3, "최강", "1980-07-07", "서울특별시 중구 강길 4", "jung", int64(1), int64(5_000_000), "2026-10-01"},
	{70_000, 4, "정달", "2001-02-28", "서울특별시 중구 달길 7", "jung", int64(-1), int64(1_000_499), nil},
}

const standards = `
kind: Project
name: standards
title: {ko: 표준, en: Standards}
owner: hall
---
kind: Agency
name: hall
title: {ko: 시청, en: City hall}
level: city
---
kind: Agency
name: records
title: {ko: 기록과, en: Records office}
parent: hall
level: bureau
---
kind: Agency
name: homes
title: {ko: 주거과, en: Housing office}
parent: hall
level: bureau
---
kind: Term
name: person
title: {ko: 개인식별자, en: Person}
type: string
length: 100
identifies: person
class: personal
---
kind: Term
name: household
title: {ko: 세대식별자, en: Household}
type: string
length: 100
identifies: household
class: personal
`

const register = `
kind: Project
name: register
title: {ko: 주민등록, en: Register}
owner: records
---
kind: Dataset
name: people
title: {ko: 주민, en: People}
key: [person]
subject: person
fields:
  person:    {term: person, required: true}
  household: {term: household, required: true}
  name:      {type: string, title: {ko: 이름}, class: personal, required: true}
  born:      {type: date, title: {ko: 생년월일}, class: personal, required: true}
  address:   {type: string, title: {ko: 주소}, class: personal}
  district:  {type: string, title: {ko: 자치구}, class: internal, required: true}
  floor:     {type: int, title: {ko: 층}, class: public}
  income:    {type: int, title: {ko: 소득}, class: sensitive}
  number:    {type: string, title: {ko: 주민등록번호}, class: unique, required: true}
  left_on:   {type: date, title: {ko: 전출일}, class: internal}
---
kind: Dataset
name: shelters
title: {ko: 쉼터, en: Shelters}
key: [code]
fields:
  code:  {type: string, title: {ko: 번호}, class: public}
  name:  {type: string, title: {ko: 이름}, class: public}
  seats: {type: int, title: {ko: 좌석}, class: internal}
`

const housing = `
kind: Project
name: housing
title: {ko: 주거 지원, en: Housing support}
owner: homes
`

// agreements are those of the housing project, by name. None holds until it is approved.
var agreements = map[string]string{
	"people": agreement("people", `
dataset: register/people
basis: 전자정부법 제36조
fields: [person, name, born, address, district, floor]
where: record.left_on == null
masks: {address: district, born: year}
`),
	"incomes": agreement("incomes", `
dataset: register/people
basis: 개인정보 보호법 제17조
fields: [person, income]
consent: asked
`),
	"census": agreement("census", `
dataset: register/people
basis: 통계법 제17조
fields: [district, floor, born]
where: record.left_on == null
masks: {born: month}
subject: many
`),
	"panel": agreement("panel", `
dataset: register/people
basis: 개인정보 보호법 제15조
fields: [person, household, name]
consent: asked
subject: many
`),
	"numbers": agreement("numbers", `
dataset: register/people
basis: 개인정보 보호법 제24조의2
fields: [number, name]
masks: {name: first-letters}
`),
	"rare": agreement("rare", `
dataset: register/people
basis: 전자정부법 제36조
fields: [name]
limit: 2/min
`),
	"shelters": agreement("shelters", `
dataset: register/shelters
fields: [code, seats]
consent: none
subject: many
masks: {seats: thousands}
`),
}

func agreement(name, rest string) string {
	return "kind: Agreement\nname: " + name + "\ntitle: {ko: 협약, en: Agreement}\npurpose: eligibility\nuntil: 2027-12-31" + rest
}

func slicesOfNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
