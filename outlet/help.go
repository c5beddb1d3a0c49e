package outlet

import (
	"context"
	"strconv"
)

// helps are what each action does, for those who follow an answer's "help".
var helps = map[string]string{
	"status_show":                         "Say which version of CKAN's API this is, and the site's address and name.",
	"site_read":                           "Return true.",
	"package_list":                        "List the names of all datasets.\n\n:param limit: at most so many\n:param offset: from which on",
	"package_show":                        "Return a dataset.\n\n:param id: its name or id",
	"package_search":                      "Find datasets.\n\n:param q: words, or NAME:VALUE\n:param fq: NAME:VALUE, with + and -\n:param fq_list: several of them\n:param sort: score, name, title, metadata_created, metadata_modified, organization, license_id or type, each with asc or desc\n:param rows: at most so many, 1000 at once\n:param start: from which on\n:param facet.field: a list of organization, groups, tags, res_format, license_id\n:param facet.limit: at most so many values of each",
	"current_package_list_with_resources": "List all datasets with their resources.\n\n:param limit: at most so many\n:param offset: from which on",
	"organization_list":                   "List the agencies that provide data.\n\n:param organizations: names of some\n:param all_fields: true for more than their names",
	"organization_show":                   "Return an agency.\n\n:param id: its name or id\n:param include_datasets: true for its datasets",
	"group_list":                          "List the projects that data are of.\n\n:param groups: names of some\n:param all_fields: true for more than their names",
	"group_show":                          "Return a project.\n\n:param id: its name or id\n:param include_datasets: true for its datasets",
	"tag_list":                            "List tags: what fields are called by the city's vocabulary.\n\n:param query: a part of them\n:param all_fields: true for more than their names",
	"license_list":                        "List the licences that datasets can have.",
	"resource_show":                       "Return a resource.\n\n:param id: its id",
	"resource_search":                     "Find resources.\n\n:param query: FIELD:TERM, or a list of them; of id, name, description, format, mimetype, url\n:param order_by: one of these fields\n:param limit: at most so many\n:param offset: from which on",
	"datastore_search":                    "Read records.\n\n:param resource_id: id of the CSV resource, or the dataset's\n:param filters: {FIELD: VALUE or list of values}\n:param q: words that a record has, or {FIELD: words}\n:param distinct: true for each row once, with fields\n:param plain: false: q may have & and :*\n:param limit: at most so many, 32000 at once\n:param offset: from which on\n:param fields: a list of fields; all where none are named\n:param sort: fields, each with asc or desc\n:param include_total: false: the total isn't told\n:param records_format: objects, lists, csv or tsv",
	"datastore_search_sql":                "Refused: SQL of others isn't run.",
	"datastore_info":                      "Return the fields of a resource and how many records it has.\n\n:param id: id of the CSV resource, or the dataset's",
	"help_show":                           "Say what an action does.\n\n:param name: its name",
}

func helpShow(_ *Outlets, _ context.Context, _ *shelf, a arguments) (any, error) {
	name := a.text("name")
	if name == "" {
		return nil, invalid("name", "Missing value")
	}
	text, ok := helps[name]
	if !ok {
		return nil, notFound("Action " + strconv.Quote(name))
	}
	return text, nil
}
