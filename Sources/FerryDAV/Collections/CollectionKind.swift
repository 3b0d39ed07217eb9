import FerryConnector
package import FerryCore

/// What collections hold: iCalendar objects (RFC 4791) or vCards (RFC 6352), and how each protocol names things.
package enum CollectionKind: Sendable, Hashable {
    case calendars, addressBooks

    static let calDAV = "urn:ietf:params:xml:ns:caldav"
    static let cardDAV = "urn:ietf:params:xml:ns:carddav"

    package var service: ServiceKind { self == .calendars ? .calendar : .contacts }
    var namespace: String { self == .calendars ? Self.calDAV : Self.cardDAV }
    /// The element of `resourcetype` that tells such a collection from others.
    var type: String { self == .calendars ? "\(namespace) calendar" : "\(namespace) addressbook" }
    var homeSet: String { self == .calendars ? "calendar-home-set" : "addressbook-home-set" }
    var wellKnown: DAVPath { DAVPath([".well-known", self == .calendars ? "caldav" : "carddav"]) }
    var multiget: String { self == .calendars ? "calendar-multiget" : "addressbook-multiget" }
    var data: String { self == .calendars ? "calendar-data" : "address-data" }
    var description: String { self == .calendars ? "calendar-description" : "addressbook-description" }
    var suffix: String { self == .calendars ? ".ics" : ".vcf" }
    var contentType: String {
        self == .calendars ? "text/calendar; charset=utf-8" : "text/vcard; charset=utf-8"
    }
    var metadata: ItemMetadata { self == .calendars ? .calendarObject : .contact }
    /// In the plural, for messages.
    var plural: String { self == .calendars ? "calendars" : "address books" }

    /// Where a collection's color is. CalDAV's is Apple's; address books have what Radicale and its clients use.
    var color: (namespace: String, name: String) {
        self == .calendars
            ? ("http://apple.com/ns/ical/", "calendar-color") : ("http://inf-it.com/ns/ab/", "addressbook-color")
    }

    /// Headers of every request that changes an object. A move never invites anybody: Cyrus heeds the first, servers
    /// with RFC 6638 section 8.1 the second, and nobody else minds.
    var quiet: [(name: String, value: String)] {
        self == .calendars ? [("Scheduling-Enabled", "F"), ("Schedule-Reply", "F")] : []
    }
}
