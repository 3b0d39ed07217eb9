import CLDAP
import FerryConnector
import Glibc

/// A connection to a directory, open and bound. Every call blocks, so it belongs to one thread at a time.
final class LDAPConnection {
    private let handle: OpaquePointer
    private let settings: LDAPSettings

    /// Connects, secures, binds.
    init(_ settings: LDAPSettings) throws(LDAPFailure) {
        self.settings = settings
        var found: OpaquePointer?
        guard ldap_initialize(&found, settings.url) == LDAP_SUCCESS, let found else {
            throw LDAPFailure(.other, "\(settings.url) is no address of a directory.", "Mend the url.")
        }
        handle = found
        set(LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3)
        // A referral would take the password to whatever server it names.
        ldap_set_option(handle, LDAP_OPT_REFERRALS, nil)
        var limit = timeval(tv_sec: max(1, Int(settings.timeout.components.seconds)), tv_usec: 0)
        ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &limit)
        ldap_set_option(handle, LDAP_OPT_TIMEOUT, &limit)
        if settings.security != .none { try secure() }
        var password = Array((settings.bind?.password.value ?? "").utf8).map { CChar(bitPattern: $0) }
        let length = ber_len_t(password.count)
        let status = password.withUnsafeMutableBufferPointer { bytes in
            var credentials = berval(bv_len: length, bv_val: bytes.baseAddress)
            return ldap_sasl_bind_s(handle, settings.bind?.name ?? "", nil, &credentials, nil, nil, nil)
        }
        for index in password.indices { password[index] = 0 }
        guard status == LDAP_SUCCESS else {
            throw failure(status, "binding as \(settings.bind.map { "'\($0.name)'" } ?? "nobody")")
        }
    }

    deinit { ldap_unbind_ext_s(handle, nil, nil) }

    /// The settings of this handle win over ldap.conf and the environment.
    private func secure() throws(LDAPFailure) {
        let systems = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
        if let file = settings.authorities ?? systems.first(where: { access($0, R_OK) == 0 }) {
            guard ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTFILE, file) == LDAP_SUCCESS else {
                throw LDAPFailure(.insecure, "The authorities in \(file) cannot be used.", "Mend the PEM file.")
            }
        }
        // Also asks for the name of the host.
        set(LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND)
        var isServer: Int32 = 0
        guard ldap_set_option(handle, LDAP_OPT_X_TLS_NEWCTX, &isServer) == LDAP_SUCCESS else {
            throw LDAPFailure(
                .insecure, "\(settings.url): TLS cannot be prepared.",
                "Check that \(settings.authorities ?? "the system's list of authorities") is a PEM file with certificates."
            )
        }
        if settings.security == .startTLS {
            let status = ldap_start_tls_s(handle, nil, nil)
            guard status == LDAP_SUCCESS else { throw failure(status, "STARTTLS") }
        }
    }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        ldap_set_option(handle, option, &value)
    }

    // MARK: searching

    /// Gives every entry found to `body`, page by page.
    ///
    /// A server that does not know pages (RFC 2696) answers in one.
    func search(
        _ base: String, _ scope: LDAPSettings.Scope, _ filter: String, _ attributes: [String],
        _ body: (LDAPEntry) throws(LDAPFailure) -> Void
    ) throws(LDAPFailure) {
        var names = attributes.map { strdup($0) } + [nil]
        defer { for name in names { free(name) } }
        var cookie = berval()
        defer { ber_memfree(cookie.bv_val) }
        repeat {
            var control: UnsafeMutablePointer<LDAPControl>?
            let isFirst = cookie.bv_val == nil
            let made = ldap_create_page_control(handle, ber_int_t(settings.pageSize), &cookie, 0, &control)
            guard made == LDAP_SUCCESS else { throw failure(made, "asking for a page") }
            defer { ldap_control_free(control) }
            var controls = [control, nil]
            var limit = timeval(tv_sec: max(1, Int(settings.timeout.components.seconds)), tv_usec: 0)
            var answer: OpaquePointer?
            let status = ldap_search_ext_s(
                handle, base, scope.wire, filter, &names, 0, &controls, nil, &limit, LDAP_NO_LIMIT, &answer)
            defer { ldap_msgfree(answer) }
            guard status == LDAP_SUCCESS else { throw failure(status, "searching '\(base)' for \(filter)") }
            var entry = ldap_first_entry(handle, answer)
            var count = 0
            while let found = entry {
                try body(read(found))
                count += 1
                entry = ldap_next_entry(handle, found)
            }
            try turn(&cookie, answer)
            // Pages without end would be a fault of the server.
            if count == 0, !isFirst { break }
        } while cookie.bv_len > 0
    }

    /// Where the next page begins; an empty cookie after the last.
    private func turn(_ cookie: inout berval, _ answer: OpaquePointer?) throws(LDAPFailure) {
        ber_memfree(cookie.bv_val)
        cookie = berval()
        var status: Int32 = 0
        var controls: UnsafeMutablePointer<UnsafeMutablePointer<LDAPControl>?>?
        let parsed = ldap_parse_result(handle, answer, &status, nil, nil, nil, &controls, 0)
        guard parsed == LDAP_SUCCESS else { throw failure(parsed, "reading the end of a page") }
        defer { ldap_controls_free(controls) }
        guard let controls, let page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, nil) else { return }
        var estimate: ber_int_t = 0
        ldap_parse_pageresponse_control(handle, page, &estimate, &cookie)
    }

    private func read(_ entry: OpaquePointer) -> LDAPEntry {
        var values: [String: [[UInt8]]] = [:]
        var position: OpaquePointer?
        var attribute = ldap_first_attribute(handle, entry, &position)
        while let name = attribute {
            if let found = ldap_get_values_len(handle, entry, name) {
                var octets: [[UInt8]] = []
                var next = found
                while let value = next.pointee {
                    octets.append(
                        Array(UnsafeRawBufferPointer(start: value.pointee.bv_val, count: Int(value.pointee.bv_len))))
                    next += 1
                }
                values[String(cString: name).lowercased(), default: []] += octets
                ldap_value_free_len(found)
            }
            ldap_memfree(name)
            attribute = ldap_next_attribute(handle, entry, position)
        }
        ber_free(position, 0)
        let name = ldap_get_dn(handle, entry)
        defer { ldap_memfree(name) }
        return LDAPEntry(name: name.map { String(cString: $0) } ?? "", values: values)
    }

    /// One spelling for all ways to write a distinguished name (RFC 4514): attribute types and values in lower case, no
    /// blanks around them.
    static func normalized(_ name: String) -> String {
        var parts: LDAPDN?
        guard ldap_str2dn(name, &parts, UInt32(LDAP_DN_FORMAT_LDAPV3)) == LDAP_SUCCESS, let parts else {
            return name.lowercased()
        }
        defer { ldap_dnfree(parts) }
        var text: UnsafeMutablePointer<CChar>?
        guard ldap_dn2str(parts, &text, UInt32(LDAP_DN_FORMAT_LDAPV3)) == LDAP_SUCCESS, let text else {
            return name.lowercased()
        }
        defer { ldap_memfree(text) }
        return String(cString: text).lowercased()
    }

    // MARK: what went wrong

    /// - Parameter what: what was being done, as the middle of a sentence.
    private func failure(_ status: Int32, _ what: String) -> LDAPFailure {
        var said: UnsafeMutablePointer<CChar>?
        ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said)
        defer { ldap_memfree(said) }
        let detail = said.map { String(cString: $0) } ?? ""
        let words = String(cString: ldap_err2string(status))
        let message = "\(settings.url): \(what) failed: \(words)\(detail.isEmpty ? "" : " (\(detail))")."
        switch status {
        case LDAP_SERVER_DOWN, LDAP_CONNECT_ERROR, LDAP_TIMEOUT, LDAP_UNAVAILABLE, LDAP_BUSY:
            if settings.security != .none, status == LDAP_CONNECT_ERROR || !detail.isEmpty {
                return LDAPFailure(
                    .insecure, message,
                    "Check that the server's certificate is for '\(settings.host)' and comes from an authority in "
                        + "\(settings.authorities ?? "the system's list; name another with ca").")
            }
            return LDAPFailure(
                .unreachable, message, "Start the directory, or mend url, tls and the network between it and Ferry.")
        case LDAP_INVALID_CREDENTIALS:
            return LDAPFailure(.refused, message, "Mend bind.dn or the file of bind.password.")
        case LDAP_INSUFFICIENT_ACCESS, LDAP_INAPPROPRIATE_AUTH, LDAP_STRONG_AUTH_REQUIRED,
            LDAP_CONFIDENTIALITY_REQUIRED:
            return LDAPFailure(
                .refused, message, "Give the account of bind.dn the right to read, over TLS if it must be.")
        case LDAP_NO_SUCH_OBJECT:
            return LDAPFailure(.missing, message, "Mend the name, or let the account of bind.dn see it.")
        case LDAP_SIZELIMIT_EXCEEDED, LDAP_TIMELIMIT_EXCEEDED, LDAP_ADMINLIMIT_EXCEEDED:
            return LDAPFailure(
                .cutShort, message, "Raise the limits of the account of bind.dn at the server, or make page smaller.")
        case LDAP_FILTER_ERROR:
            return LDAPFailure(.other, message, "Mend the filter; RFC 4515 says how filters are written.")
        default:
            return LDAPFailure(.other, message, "")
        }
    }
}

extension LDAPSettings.Scope {
    fileprivate var wire: Int32 {
        switch self {
        case .base: 0
        case .one: 1
        case .subtree: 2
        }
    }
}
