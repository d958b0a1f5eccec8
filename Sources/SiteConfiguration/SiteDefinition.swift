package import CampusModel

/// `site.yaml`: the school, its rooms and its devices.
///
/// Every key is described in `docs/configuration.md`.
package struct SiteDefinition: Sendable, Hashable {
    /// What a node of the site tree is.
    package enum NodeKind: String, Sendable, CaseIterable {
        case city
        case cluster
        case commune
        case site
        case building
        case floor
        case room
    }

    /// What a room is for.
    package enum RoomKind: String, Sendable, CaseIterable {
        case classroom
        case smartClassroom = "smart-classroom"
        case laboratory
        case library
        case office
        case hall
        case corridor
        case entrance
        case plantRoom = "plant-room"
        case outdoor
        case other
    }

    /// One node of the tree.
    package struct Node: Sendable, Hashable {
        package var id: NodeID
        package var parent: NodeID?
        package var kind: NodeKind
        /// Set for rooms.
        package var room: RoomKind?
        package var name: LocalizedText
    }

    /// A Modbus endpoint, or one that is asked line by line.
    package struct Bus: Sendable, Hashable {
        /// The medium.
        package enum Medium: Sendable, Hashable {
            case tcp(host: String, port: UInt16)
            case rtu(device: String, baud: Int, parity: Parity, dataBits: Int, stopBits: Int)
            case line(LinePlace)
        }

        /// Where lines are spoken; what is `nil` is as its devices' profile says.
        package struct LinePlace: Sendable, Hashable {
            /// A host, or the file of a serial port.
            package enum Port: Sendable, Hashable {
                case tcp(host: String, port: UInt16?)
                case serial(device: String, settings: Serial?)
            }

            package var port: Port
            /// A file with the password that the device asks for.
            package var passwordFile: String?
        }

        /// The settings of a serial port.
        package struct Serial: Sendable, Hashable {
            package var baud: Int
            package var parity: Parity
            package var dataBits: Int
            package var stopBits: Int
        }

        /// The parity of a serial line.
        package enum Parity: String, Sendable, CaseIterable {
            case none
            case even
            case odd
        }

        package var id: String
        package var medium: Medium
        /// `nil`: the longest that a profile of its devices asks for.
        package var timeoutMilliseconds: Int?
        /// `nil`: the longest that a profile of its devices asks for.
        package var pauseMilliseconds: Int?
    }

    /// A device.
    package struct Device: Sendable, Hashable {
        /// Where it is reached.
        package enum Address: Sendable, Hashable {
            case mqtt(parameters: [String: String])
            /// A device on a bus, Modbus or lines; `nil`: the unit that its profile says.
            case bus(String, unit: UInt8?)
        }

        package var id: DeviceID
        package var node: NodeID
        package var profile: String
        /// `nil`: the profile's title.
        package var name: LocalizedText?
        package var address: Address
        /// A file with the secret in the path of a device that pushes over HTTP.
        package var secretFile: String?
        /// What the profile asks about the device, an option by setting.
        package var settings: [String: String]
        /// Added to the profile's Modbus addresses.
        package var addressOffset: Int
        /// `nil`: the gateway's default.
        package var reportMilliseconds: Int64?
        package var asset: String?
        /// The key of the description that it was adopted from; `nil`: from none.
        package var describedBy: String?
        package var isEnabled: Bool
        /// The line in the file, for messages.
        package var line: Int
    }

    /// The lessons of a day.
    package struct Timetable: Sendable, Hashable {
        /// Minutes after local midnight.
        package struct Lesson: Sendable, Hashable {
            package var fromMinute: Int
            package var toMinute: Int
            /// The name of its shift, where the school has shifts.
            package var shift: String?
        }

        /// 1 Monday … 7 Sunday.
        package var weekdays: Set<Int>
        package var lessons: [Lesson]
        /// The hours in which nobody should be there; over midnight when the end is before the start.
        package var night = Lesson(fromMinute: 22 * 60, toMinute: 5 * 60)
        /// Days without school, both ends included, in days since 1970-01-01.
        package var holidays: [ClosedRange<Int64>] = []
        /// Days of examinations, in days since 1970-01-01.
        package var exams: [ClosedRange<Int64>] = []

        /// Monday to Saturday, 07:00–11:15 and 13:00–16:30, as most schools of the city.
        package static let standard = Timetable(
            weekdays: [1, 2, 3, 4, 5, 6],
            lessons: [
                (420, 465), (470, 515), (535, 580), (585, 630), (635, 675), (780, 825), (830, 875), (895, 940),
                (945, 990),
            ]
            .map { Lesson(fromMinute: $0.0, toMinute: $0.1) }
        )
    }

    /// What the school does when, for rules.
    package var hours: SchoolHours {
        SchoolHours(
            weekdays: self.timetable.weekdays,
            lessons: self.timetable.lessons.map { $0.fromMinute..<$0.toMinute },
            night: (self.timetable.night.fromMinute, self.timetable.night.toMinute),
            holidays: self.timetable.holidays,
            exams: self.timetable.exams,
            utcOffsetSeconds: self.utcOffsetSeconds
        )
    }

    package var id: NodeID
    package var name: LocalizedText
    /// East of UTC; Ho Chi Minh City is 25,200.
    package var utcOffsetSeconds: Int64
    package var nodes: [Node]
    package var buses: [Bus]
    package var devices: [Device]
    package var timetable: Timetable
    package var schedules: [ScheduleDefinition]
}
