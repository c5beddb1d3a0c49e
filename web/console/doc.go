// Package console is the workbench of authors and stewards: what the city has declared, and what is in its datasets.
//
// [Console] reads the catalog ([Catalog]) and facts about records ([Records]); both interfaces are declared here and implemented by
// the packages catalog and registry. A noun has two files: agency.go finds what its pages show, agency.templ shows it.
//
// Values of fields that are personal or more are never asked for: samples leave the columns out, profiles show counts only.
// Lists are cut by cursor ([cut]) and nothing grows with the size of the catalog but the number of pages.
//
// The console changes nothing: manifests and the API do.
package console
