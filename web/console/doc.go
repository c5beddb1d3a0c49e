// Package console is the workbench of authors, stewards and officers: what the city has declared, what is in its datasets, who may read what.
//
// [Console] reads the catalog ([Catalog]) and facts about records ([Records]); both interfaces are declared here and implemented by
// the packages catalog and registry. A noun has two files: agency.go finds what its pages show, agency.templ shows it.
//
// Values of fields that are personal or more are never asked for: samples leave the columns out, profiles show counts only.
// Lists are cut by cursor ([cut]) and nothing grows with the size of the catalog but the number of pages.
//
// A dataset that is open to everyone has its page here too, without the rest of the console. What a page shows of values is what who asks may read
// ([registry.Readable]), and nothing about persons.
//
// The console changes nothing that is declared: manifests and the API do. Only agreements are decided on here ([Exchange]).
package console
