/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of files and questions. test_known_hosts_openssh.c asks OpenSSH the same where it can be asked. */
#include "tests/unit/collectors/known_files.h"

#include "tests/unit/collectors/sample_keys.h"

#define HASHED      "|1|cah4LEI6bz/Rj2pNBVaPNEX9K3g=|Ffi9+HRA3GffEP2DQrH409SUN+g=" /* db1.example, by ssh-keygen -H */
#define HASHED_2222 "|1|zwfW7J94hrnYREkdDMfhlsSpxGw=|9pAMv+167CDUT0BzHHOD2KB7iuU=" /* [db1.example]:2222 */

static struct known_files files;

static int begin(void **state)
{
	(void)state;
	known_files_make(&files);
	return 0;
}

static int end(void **state)
{
	(void)state;
	known_files_remove(&files);
	return 0;
}

struct row {
	const char *label, *user, *system; /* files */
	const char *offered;
	enum host_key_verdict want;
	size_t      line;                  /* in the user's file, or 1000 and more in the system's; 0: nowhere */
	const char *known;                 /* fingerprint */
	struct known_hosts_query q;        /* no host: db1.example */
	size_t      notes;
};

/* What a row wants. */
#define KNOWN(n, print)   .want = HOST_KEY_OK, .line = (n), .known = (print)
#define CHANGED(n, print) .want = HOST_KEY_CHANGED, .line = (n), .known = (print)
#define REVOKED(n)        .want = HOST_KEY_REVOKED, .line = (n)
#define CERTIFICATE(n)    .want = HOST_KEY_UNSUPPORTED_CERT, .line = (n)
#define UNKNOWN           .want = HOST_KEY_UNKNOWN

static enum err ask(const struct row *r, struct known_hosts_result *out, struct why *why)
{
	const char *const both[] = { files.user, files.system };
	struct known_hosts_query q = r->q;
	struct buf blob;
	known_files_write(files.user, r->user, r->user != NULL ? strlen(r->user) : 0);
	known_files_write(files.system, r->system, r->system != NULL ? strlen(r->system) : 0);
	q.files = both;
	q.n_files = 2;
	q.host = q.host != NULL ? q.host : "db1.example";
	known_files_blob(r->offered, &blob);
	enum err e = known_hosts_check(&q, blob.data, blob.len, NULL, out, why);
	buf_release(&blob);
	return e;
}

static void check_row(const struct row *r)
{
	struct known_hosts_result got;
	struct why why = { "" };
	enum err   e = ask(r, &got, &why);
	if (e != ERR_OK || got.verdict != r->want)
		print_error("%s: %s, %s\n", r->label, why.text, e == ERR_OK ? host_key_words(got.verdict) : err_text(e));
	assert_row(r->label, e == ERR_OK);
	assert_row(r->label, got.verdict == r->want);
	const char *file = r->line == 0 ? NULL : r->line >= 1000 ? files.system : files.user;
	assert_row(r->label, (got.place.file == NULL) == (file == NULL));
	assert_row(r->label, file == NULL || strcmp(got.place.file, file) == 0);
	assert_row(r->label, got.place.line == r->line % 1000);
	assert_row(r->label, strcmp(got.known, r->known != NULL ? r->known : "") == 0);
	assert_row(r->label, (got.known_type != NULL) == (r->known != NULL));
	assert_row(r->label, got.notes.n == r->notes);
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&rows[i]);
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof rows / sizeof rows[0])

static void plain_lines(void **state)
{
	static const struct row rows[] = {
		{ "no file", NULL, NULL, ED_A, UNKNOWN },
		{ "empty file", "", NULL, ED_A, UNKNOWN },
		{ "the key", "db1.example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "a comment behind it", "db1.example " ED_A " me@home # x\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "no line end", "db1.example " ED_A, NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "comments and blanks before it", "# db1.example " ED_B "\n\n \t\n  # x\n\t db1.example \t" ED_A "\n", NULL, ED_A,
		  KNOWN(5, ED_A_PRINT) },
		{ "the system's file", "db2.example " ED_B "\n", "# x\ndb1.example " ED_A "\n", ED_A, KNOWN(1002, ED_A_PRINT) },
		{ "another key in the user's", "db1.example " ED_B "\n", "db1.example " ED_A "\n", ED_A, KNOWN(1001, ED_A_PRINT) },
		{ "another host", "db2.example " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "the name's beginning", "db1 " ED_A "\ndb1.exampl " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "several names", "a,db1.example,10.0.0.1 " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "several keys", "db1.example " EC "\ndb1.example " ED_B "\ndb1.example " ED_A "\n", NULL, ED_A, KNOWN(3, ED_A_PRINT) },
		{ "changed", "db1.example " EC "\ndb1.example " ED_B "\n", NULL, ED_A, CHANGED(2, ED_B_PRINT) },
		{ "another type only", "db1.example " EC "\n", NULL, ED_A, CHANGED(1, EC_PRINT) },
		{ "another curve only", "db1.example " EC521 "\n", NULL, EC, CHANGED(1, EC521_PRINT) },
		{ "RSA", "db1.example " RSA "\n", NULL, RSA, KNOWN(1, RSA_PRINT) },
		{ "RSA under an algorithm's name", "db1.example rsa-sha2-512 " RSA_BASE64 "\n", NULL, RSA, KNOWN(1, RSA_PRINT) },
		{ "DOS line ends", "# x\r\n\r\ndb1.example " ED_A "\r\n", NULL, ED_A, KNOWN(3, ED_A_PRINT) },
		{ "upper case in the file", "DB1.Example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "upper case asked for", "db1.example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .host = "DB1.EXAMPLE" } },
		{ "a name of one character", "a " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .host = "a" } },
		{ "a name of two characters", "ab " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .host = "ab" } },
		{ "IPv6", "2001:db8::1 " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .host = "2001:DB8::1" } },
		{ "IPv6 with a port", "[2001:db8::1]:2222 " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT),
		  .q = { .host = "2001:db8::1", .port = 2222 } },
		{ "an alias", "the-alias " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .alias = "The-Alias", .port = 2222 } },
		{ "an alias, not the host", "db1.example " ED_A "\n", NULL, ED_A, UNKNOWN, .q = { .alias = "other" } },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void patterns(void **state)
{
	static const struct row rows[] = {
		{ "any", "* " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "a star at the front", "*.example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "stars all over", "*d*b**1*e*le* " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "a star for nothing", "db1.example* " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "question marks", "db?.ex?mple " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "one question mark too many", "db1.example? " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "a star that has to go back", "*am*ample " ED_A "\n*.ex*ample " ED_A "\n", NULL, ED_A, KNOWN(2, ED_A_PRINT) },
		{ "negated", "*.example,!db1.example " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "negated first", "!db1.*,*.example " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "negated for others", "!db2.example,*.example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "negated alone", "!db2.example " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "negated here, known there", "*,!db1.example " ED_B "\ndb1.example " ED_A "\n", NULL, ED_A, KNOWN(2, ED_A_PRINT) },
		{ "empty names", ",,db1.example,, " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "brackets are no set", "db[1].example " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "any port", "[db1.example]:* " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .port = 2222 } },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void ports(void **state)
{
	static const struct row rows[] = {
		{ "22 is no port", "db1.example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .port = 22 } },
		{ "22 is not in brackets", "[db1.example]:22 " ED_A "\n", NULL, ED_A, UNKNOWN, .q = { .port = 22 } },
		{ "its port", "[db1.example]:2222 " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .port = 2222 } },
		{ "another port", "[db1.example]:2223 " ED_A "\n", NULL, ED_A, UNKNOWN, .q = { .port = 2222 } },
		{ "without the port", "db1.example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .port = 2222 } },
		{ "another key without the port", "db1.example " ED_B "\n", NULL, ED_A, UNKNOWN, .q = { .port = 2222 } },
		{ "another key with the port", "db1.example " ED_A "\n[db1.example]:2222 " ED_B "\n", NULL, ED_A, CHANGED(2, ED_B_PRINT),
		  .q = { .port = 2222 } },
		{ "hashed with the port", HASHED_2222 " " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .port = 2222 } },
		{ "hashed without the port", HASHED " " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .port = 2222 } },
		{ "revoked without the port", "[db1.example]:2222 " ED_A "\n@revoked db1.example " ED_A "\n", NULL, ED_A, REVOKED(2),
		  .q = { .port = 2222 } },
	};
	struct known_hosts_result got;
	(void)state;
	CHECK_ROWS(rows);
	assert_int_equal(ask(&rows[4], &got, NULL), ERR_OK);
	assert_true(got.is_portless);
	assert_int_equal(ask(&rows[2], &got, NULL), ERR_OK);
	assert_false(got.is_portless);
}

static void hashed_names(void **state)
{
	static const struct row rows[] = {
		{ "hashed", HASHED " " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT) },
		{ "hashed, asked in upper case", HASHED " " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT), .q = { .host = "Db1.Example" } },
		{ "hashed, changed", HASHED " " ED_B "\n", NULL, ED_A, CHANGED(1, ED_B_PRINT) },
		{ "hashed, of another host", HASHED " " ED_A "\n", NULL, ED_A, UNKNOWN, .q = { .host = "db2.example" } },
		{ "hashed and revoked", "db1.example " ED_A "\n@revoked " HASHED " " ED_A "\n", NULL, ED_A, REVOKED(2) },
		{ "a list with a hash is no hash", "x," HASHED " " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "two hashes", HASHED "," HASHED " " ED_A "\n", NULL, ED_A, UNKNOWN, .notes = 1 },
		{ "a hash of another kind", "|2|cah4LEI6bz/Rj2pNBVaPNEX9K3g=|Ffi9+HRA3GffEP2DQrH409SUN+g= " ED_A "\n", NULL, ED_A, UNKNOWN,
		  .notes = 1 },
		{ "a salt that is too short", "|1|cah4LEI6bz/Rj2pNBVaPNEX9|Ffi9+HRA3GffEP2DQrH409SUN+g= " ED_A "\n", NULL, ED_A, UNKNOWN,
		  .notes = 1 },
		{ "no salt", "|1||Ffi9+HRA3GffEP2DQrH409SUN+g= " ED_A "\n| " ED_A "\n|1| " ED_A "\n", NULL, ED_A, UNKNOWN, .notes = 3 },
		{ "no hash", "|1|cah4LEI6bz/Rj2pNBVaPNEX9K3g= " ED_A "\n", NULL, ED_A, UNKNOWN, .notes = 1 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void markers(void **state)
{
	static const struct row rows[] = {
		{ "revoked before", "@revoked * " ED_A "\ndb1.example " ED_A "\n", NULL, ED_A, REVOKED(1) },
		{ "revoked after", "db1.example " ED_A "\n@revoked db1.example " ED_A "\n", NULL, ED_A, REVOKED(2) },
		{ "revoked in the system's file", "db1.example " ED_A "\n", "@revoked * " ED_A "\n", ED_A, REVOKED(1001) },
		{ "revoked, otherwise unknown", "@revoked * " ED_A "\n", NULL, ED_A, REVOKED(1) },
		{ "revoked and changed", "db1.example " ED_B "\n@revoked * " ED_A "\n", NULL, ED_A, REVOKED(2) },
		{ "another key revoked", "@revoked * " ED_B "\ndb1.example " ED_A "\n", NULL, ED_A, KNOWN(2, ED_A_PRINT) },
		{ "revoked for another host", "@revoked db2.example " ED_A "\ndb1.example " ED_A "\n", NULL, ED_A, KNOWN(2, ED_A_PRINT) },
		{ "another revoked key alone", "@revoked db1.example " ED_B "\n", NULL, ED_A, UNKNOWN },
		{ "tabs around the marker", "@revoked\t*\t" ED_A "\n", NULL, ED_A, REVOKED(1) },
		{ "an authority says nothing of keys", "@cert-authority * " ED_A "\n", NULL, ED_A, UNKNOWN },
		{ "an authority beside a key", "@cert-authority * " ED_B "\ndb1.example " ED_A "\n", NULL, ED_A, KNOWN(2, ED_A_PRINT) },
		{ "unknown marker", "@marked db1.example " ED_A "\n", NULL, ED_A, UNKNOWN, .notes = 1 },
		{ "marker in upper case", "@REVOKED db1.example " ED_A "\n", NULL, ED_A, UNKNOWN, .notes = 1 },
		{ "two markers", "@revoked @revoked db1.example " ED_A "\n", NULL, ED_A, UNKNOWN, .notes = 1 },
		{ "a marker alone", "@revoked\ndb1.example " ED_A "\n", NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void certificates(void **state)
{
	static const struct row rows[] = {
		{ "no authority", "db1.example " EC "\n", NULL, EC_CERT, CERTIFICATE(0) },
		{ "an authority", "# x\n@cert-authority *.example " ED_A "\n", NULL, EC_CERT, CERTIFICATE(2) },
		{ "an authority for others", "@cert-authority *.com " ED_A "\n", NULL, EC_CERT, CERTIFICATE(0) },
		{ "its key is revoked", "@cert-authority * " ED_A "\n@revoked * " EC "\n", NULL, EC_CERT, REVOKED(2) },
		{ "its authority is revoked", "@cert-authority * " ED_A "\n@revoked * " ED_A "\n", NULL, EC_CERT, REVOKED(2) },
		{ "another authority is revoked", "@cert-authority * " ED_A "\n@revoked * " ED_B "\n", NULL, EC_CERT, CERTIFICATE(1) },
		{ "a certificate on a plain line", "db1.example " EC_CERT "\n", NULL, EC_CERT, CERTIFICATE(0) },
		{ "a key, its certificate revoked", "db1.example " EC "\n@revoked * " EC_CERT "\n", NULL, EC, REVOKED(2) },
	};
	struct known_hosts_result got;
	(void)state;
	CHECK_ROWS(rows);
	assert_int_equal(ask(&rows[1], &got, NULL), ERR_OK);
	assert_true(got.has_ca);
	assert_int_equal(got.ca.line, 2);
	assert_string_equal(got.offered_type, "ecdsa-sha2-nistp256-cert-v01@openssh.com");
	assert_int_equal(ask(&rows[2], &got, NULL), ERR_OK);
	assert_false(got.has_ca);
}

static void malformed_lines(void **state)
{
#define GOOD "db1.example " ED_A "\n"
	static const struct row rows[] = {
		{ "a name alone", "db1.example\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "a name and a comment", "db1.example #\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "no key", "db1.example ssh-ed25519\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "half a key", "db1.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "not base 64", "db1.example ssh-ed25519 *" ED_A_BASE64 "\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "another type", "db1.example ssh-rsa " ED_B_BASE64 "\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "an unknown type", "db1.example ssh-ed448 " ED_B_BASE64 "\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "a key of SSH 1", "db1.example 1024 35 1234567890\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
		{ "other hosts' lines are noted too", "x y\nz\n" GOOD, NULL, ED_A, KNOWN(3, ED_A_PRINT), .notes = 2 },
		{ "bytes that are no text", "\xff\xfe\x01 \x80\n" GOOD, NULL, ED_A, KNOWN(2, ED_A_PRINT), .notes = 1 },
	};
	struct known_hosts_result got;
	(void)state;
	CHECK_ROWS(rows);
	assert_int_equal(ask(&rows[8], &got, NULL), ERR_OK);
	assert_string_equal(got.notes.first[1].place.file, files.user);
	assert_int_equal(got.notes.first[1].place.line, 2);
	assert_string_equal(got.notes.first[1].what, "its key is missing");
}

static void what_a_changed_key_says(void **state)
{
	static const struct row other = { "another type", "db1.example " EC "\n", NULL, ED_A, CHANGED(2, NULL) };
	static const struct row same = { "the same type", "db1.example " EC "\ndb1.example " ED_B "\n", NULL, ED_A, CHANGED(2, NULL) };
	struct known_hosts_result got;
	(void)state;
	assert_int_equal(ask(&other, &got, NULL), ERR_OK);
	assert_true(got.is_other_type);
	assert_string_equal(got.known_type, "ecdsa-sha2-nistp256");
	assert_string_equal(got.offered_type, "ssh-ed25519");
	assert_string_equal(got.offered, ED_A_PRINT);
	assert_int_equal(ask(&same, &got, NULL), ERR_OK);
	assert_false(got.is_other_type);
	assert_string_equal(got.known_type, "ssh-ed25519");
}

static void addresses(void **state)
{
	static const struct {
		struct row row;
		bool       is_by_address, is_new;
	} rows[] = {
		{ { "both known", "db1.example,10.0.0.1 " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT),
		  .q = { .address = "10.0.0.1" } }, false, false },
		{ { "the address is new", "db1.example " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT),
		  .q = { .address = "10.0.0.1" } }, false, true },
		{ { "the address is another's", "db1.example " ED_A "\n10.0.0.1 " ED_B "\n", NULL, ED_A, CHANGED(2, ED_B_PRINT),
		    .q = { .address = "10.0.0.1" } }, true, false },
		{ { "the name is new", "10.0.0.1 " ED_A "\n", NULL, ED_A, UNKNOWN, .q = { .address = "10.0.0.1" } }, false, false },
		{ { "new, and the address is another's", "10.0.0.1 " ED_B "\n", NULL, ED_A, CHANGED(1, ED_B_PRINT),
		  .q = { .address = "10.0.0.1" } },
		  true, false },
		{ { "changed, the address is not", "db1.example " ED_B "\n10.0.0.1 " ED_A "\n", NULL, ED_A, CHANGED(1, ED_B_PRINT),
		    .q = { .address = "10.0.0.1" } }, false, false },
		{ { "revoked for the address", "db1.example " ED_A "\n@revoked 10.0.0.1 " ED_A "\n", NULL, ED_A, REVOKED(2),
		    .q = { .address = "10.0.0.1" } }, false, false },
		{ { "with a port", "[db1.example]:2222 " ED_A "\n10.0.0.1 " ED_B "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT),
		    .q = { .address = "10.0.0.1", .port = 2222 } }, false, true },
		{ { "with a port, another's", "[db1.example]:2222 " ED_A "\n[10.0.0.1]:2222 " ED_B "\n", NULL, ED_A, CHANGED(2, ED_B_PRINT),
		    .q = { .address = "10.0.0.1", .port = 2222 } }, true, false },
		{ { "without the port, another's", "db1.example " ED_A "\n10.0.0.1 " ED_B "\n", NULL, ED_A, UNKNOWN,
		    .q = { .address = "10.0.0.1", .port = 2222 } }, false, true },
		{ { "the host is the address", "10.0.0.1 " ED_A "\n", NULL, ED_A, KNOWN(1, ED_A_PRINT),
		    .q = { .host = "10.0.0.1", .address = "10.0.0.1" } }, false, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct known_hosts_result got;
		check_row(&rows[i].row);
		assert_int_equal(ask(&rows[i].row, &got, NULL), ERR_OK);
		assert_row(rows[i].row.label, got.is_by_address == rows[i].is_by_address);
		assert_row(rows[i].row.label, got.address_is_new == rows[i].is_new);
	}
}

/* Lines at and past the limit, many lines, a NUL, and files that are none. */
static void sizes(void **state)
{
	const char *const only[] = { files.user };
	const struct known_hosts_query q = { .files = only, .n_files = 1, .host = "db1.example" };
	struct known_hosts_result got;
	struct buf text, blob;
	(void)state;
	known_files_blob(ED_A, &blob);
	buf_init(&text, 16 << 20);
	buf_fill(&text, 'x', 3 * KNOWN_LINE_MAX);
	buf_puts(&text, " db1.example " ED_B "\ndb1.example " ED_A " ");
	size_t start = text.len - strlen("db1.example " ED_A " ");
	buf_fill(&text, 'c', start + KNOWN_LINE_MAX - 1 - text.len);
	buf_puts(&text, "\n@revoked x\0y " ED_A "\n");
	known_files_write(files.user, text.data, text.len);
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, NULL, &got, NULL), ERR_OK);
	assert_int_equal(got.verdict, HOST_KEY_OK);
	assert_int_equal(got.place.line, 2);
	assert_int_equal(got.notes.n, 2);
	assert_int_equal(got.notes.first[0].place.line, 1);
	assert_string_equal(got.notes.first[0].what, "it is too long");

	buf_clear(&text);
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "n%d.example " ED_B "\n%s", i, i % 100 == 0 ? "broken\n" : "");
	buf_puts(&text, "db1.example " ED_A "\n");
	known_files_write(files.user, text.data, text.len);
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, NULL, &got, NULL), ERR_OK);
	assert_int_equal(got.verdict, HOST_KEY_OK);
	assert_int_equal(got.place.line, 20201);
	assert_int_equal(got.notes.n, 200);

	const char *const odd[] = { "/dev/null", files.folder, "/nowhere/known_hosts", "/etc/passwd/known_hosts" };
	struct known_hosts_notes notes;
	assert_int_equal(known_hosts_lint(odd, 4, &notes, NULL), ERR_OK);
	assert_int_equal(notes.n, 1);
	assert_int_equal(notes.first[0].place.line, 0);
	assert_int_equal(truncate(files.user, (off_t)KNOWN_FILE_MAX + 1), 0);
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, NULL, &got, NULL), ERR_LIMIT);
	buf_release(&text);
	buf_release(&blob);
}

static void refuses_bad_questions(void **state)
{
	const char *const only[] = { files.user };
	char long_name[KNOWN_NAME + 1], name[KNOWN_NAME];
	struct known_hosts_result got = { .verdict = HOST_KEY_COUNT };
	struct buf blob;
	(void)state;
	memset(long_name, 'x', KNOWN_NAME);
	long_name[KNOWN_NAME] = '\0';
	known_files_write(files.user, "* " ED_A "\n", strlen("* " ED_A "\n"));
	known_files_blob(ED_A, &blob);
	struct known_hosts_query q = { .files = only, .n_files = 1, .host = "" };
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, NULL, &got, NULL), ERR_USAGE);
	q.host = long_name;
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, NULL, &got, NULL), ERR_USAGE);
	q.host = long_name + 1;
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, NULL, &got, NULL), ERR_OK);
	got.verdict = HOST_KEY_COUNT;
	q.port = 2222;
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, NULL, &got, NULL), ERR_USAGE);
	q.host = "h";
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len, "ssh-rsa", &got, NULL), ERR_FORMAT);
	assert_int_equal(known_hosts_check(&q, blob.data, blob.len - 1, NULL, &got, NULL), ERR_FORMAT);
	assert_int_equal(known_hosts_check(&q, "", 0, NULL, &got, NULL), ERR_FORMAT);
	assert_int_equal(got.verdict, HOST_KEY_COUNT); /* untouched */
	buf_release(&blob);

	static const struct { const char *label, *host; int port; const char *want; } rows[] = {
		{ "no port", "Db1.Example", 22, "db1.example" },
		{ "port 0", "db1", 0, "db1" },
		{ "a port", "Db1", 2200, "[db1]:2200" },
		{ "IPv6", "fe80::1%eth0", 2200, "[fe80::1%eth0]:2200" },
		{ "a blank", "a b", 22, NULL },
		{ "a comma", "a,b", 22, NULL },
		{ "a wildcard", "a*", 22, NULL },
		{ "a marker", "@revoked", 22, NULL },
		{ "a hash", "|1|a|b", 22, NULL },
		{ "a bracket", "[a]:22", 22, NULL },
		{ "a line end", "a\n", 22, NULL },
		{ "nothing", "", 22, NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum err e = known_hosts_name(rows[i].host, rows[i].port, name, NULL);
		assert_row(rows[i].label, e == (rows[i].want != NULL ? ERR_OK : ERR_USAGE));
		assert_row(rows[i].label, e != ERR_OK || strcmp(name, rows[i].want) == 0);
	}
}

#define NO_RSA   "ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com"
#define ANY_RSA  "rsa-sha2-512,rsa-sha2-256"
#define ANY_TYPE "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," NO_RSA "," ANY_RSA

static void orders_types(void **state)
{
	static const struct { const char *label, *text; size_t n_known; bool has_ca; const char *want; } rows[] = {
		{ "none known", "x " EC "\n", 0, false, ANY_TYPE },
		{ "the best is known", "db1.example " ED_A "\n", 1, false, ANY_TYPE },
		{ "the best and others are known", "db1.example " RSA "\ndb1.example " ED_A "\n", 3, false, ANY_TYPE },
		{ "RSA is known", "db1.example " RSA "\n", 2, false,
		  ANY_RSA ",ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," NO_RSA },
		{ "ECDSA is known", HASHED " " EC "\n", 1, false,
		  "ecdsa-sha2-nistp256,ssh-ed25519,ecdsa-sha2-nistp384," NO_RSA "," ANY_RSA },
		{ "two are known", "db1.example " RSA "\ndb1.example " EC "\n", 3, false,
		  "ecdsa-sha2-nistp256," ANY_RSA ",ssh-ed25519,ecdsa-sha2-nistp384," NO_RSA },
		{ "DSS is not offered", "db1.example " DSS "\n", 0, false, ANY_TYPE },
		{ "a revoked key is not known", "db1.example " ED_A "\ndb1.example " EC "\n@revoked * " ED_A "\n", 1, false,
		  "ecdsa-sha2-nistp256,ssh-ed25519,ecdsa-sha2-nistp384," NO_RSA "," ANY_RSA },
		{ "another revoked key is none of it", "@revoked * " ED_B "\ndb1.example " ED_A "\n", 1, false, ANY_TYPE },
		{ "an authority", "@cert-authority *.example " EC "\n", 0, true, ANY_TYPE },
	};
	const char *const only[] = { files.user };
	const struct known_hosts_query q = { .files = only, .n_files = 1, .host = "db1.example" };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct known_hosts_types got;
		struct buf list;
		size_t     n_known = 0;
		known_files_write(files.user, rows[i].text, strlen(rows[i].text));
		assert_row(rows[i].label, known_hosts_types(&q, &got, NULL) == ERR_OK);
		buf_init(&list, 1024);
		for (size_t t = 0; t < got.n; t++) {
			buf_printf(&list, "%s%s", t > 0 ? "," : "", got.names[t]);
			n_known += got.is_known[t];
		}
		assert_row(rows[i].label, strcmp(buf_text(&list), rows[i].want) == 0);
		assert_row(rows[i].label, n_known == rows[i].n_known);
		assert_row(rows[i].label, got.has_ca == rows[i].has_ca);
		buf_release(&list);
	}
}

static void joins_what_is_supported(void **state)
{
	static const char *const supported[] = { "ssh-dss", "rsa-sha2-256", "ssh-ed25519" };
	const struct known_hosts_types types = { .names = { "ecdsa-sha2-nistp256", "ssh-ed25519", "rsa-sha2-256" }, .n = 3 };
	struct buf list;
	(void)state;
	buf_init(&list, 1024);
	assert_int_equal(known_hosts_types_join(&types, supported, 3, &list), ERR_OK);
	assert_string_equal(buf_text(&list), "ssh-ed25519,rsa-sha2-256");
	buf_clear(&list);
	assert_int_equal(known_hosts_types_join(&types, supported, 1, &list), ERR_OK);
	assert_string_equal(buf_text(&list), "");
	buf_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_lines, begin, end),
		cmocka_unit_test_setup_teardown(patterns, begin, end),
		cmocka_unit_test_setup_teardown(ports, begin, end),
		cmocka_unit_test_setup_teardown(hashed_names, begin, end),
		cmocka_unit_test_setup_teardown(markers, begin, end),
		cmocka_unit_test_setup_teardown(certificates, begin, end),
		cmocka_unit_test_setup_teardown(malformed_lines, begin, end),
		cmocka_unit_test_setup_teardown(what_a_changed_key_says, begin, end),
		cmocka_unit_test_setup_teardown(addresses, begin, end),
		cmocka_unit_test_setup_teardown(sizes, begin, end),
		cmocka_unit_test_setup_teardown(refuses_bad_questions, begin, end),
		cmocka_unit_test_setup_teardown(orders_types, begin, end),
		cmocka_unit_test(joins_what_is_supported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
