import CampusModel
import DeviceProfile
import FirmwareContract
import StrictYAML
import Testing

@Suite struct ShippedContractsTests {
    static let names = Contracts.library.names

    @Test func allAreRead() {
        #expect(Contracts.library.problems.map(\.description) == [])
        #expect(Self.names.count >= 13)
    }

    @Test(arguments: names)
    func samplesOfEveryVersionStillHold(name: ContractName) throws {
        let entry = try #require(Contracts.library[name])
        let (samples, problems) = ContractLibrary.samples(beside: entry.file)
        #expect(problems.map(\.description) == [])
        let found = samples.flatMap { SampleCheck.problems(of: $0, entry, profiles: Contracts.profiles) }
        #expect(found == [])
    }

    @Test(arguments: names)
    func versionsSayWhatChanged(name: ContractName) throws {
        let entry = try #require(Contracts.library[name])
        for older in entry.older {
            let comparison = ContractComparison(old: older, new: entry.contract)
            #expect(comparison.problem == nil, "\(comparison.changes)")
        }
    }

    @Test(arguments: Contracts.profiles.filter { $0.contract != nil }.map(\.id))
    func profilesReadWhatTheirContractPromises(id: String) throws {
        let profile = try #require(Contracts.profiles.first { $0.id == id })
        let name = try #require(profile.contract.flatMap { ContractName($0) })
        let entry = try #require(Contracts.library[name], "\(id) names \(name), which is not there")
        for contract in entry.older + [entry.contract] {
            let problems = ProfileCoverage.ofAllVariants(profile, contract: contract).problems
            // A point that came with a later minor version is not in the ones before it.
            let known = problems.filter { contract == entry.contract || !$0.text.en.contains("is not in the message") }
            #expect(known.map(\.description) == [])
        }
    }

    /// A contract that nobody reads is not tried.
    @Test func everyContractHasAProfile() {
        let claimed = Set(Contracts.profiles.compactMap(\.contract))
        #expect(Self.names.map(\.description).filter { !claimed.contains($0) } == [])
    }
}
