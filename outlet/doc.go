// Package outlet serves datasets whose fields are all public through the doors that clients of open data already knock on: the read actions of CKAN, the address form of the city's
// open API, and a DCAT catalogue. Each dataset is found and read as it is in the catalog and the registry: nothing is kept twice.
package outlet
