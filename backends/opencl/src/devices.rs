//! Which OpenCL devices there are, and which one to take.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::OnceLock;

use ff_backend::{BackendError, Result};
use ocl::core::DeviceId;
use ocl::core::ffi;

use crate::driver::name_of;

/// What an OpenCL device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A graphics processor.
    Gpu,
    /// The host's own processor.
    Cpu,
    /// Anything else.
    Accelerator,
}

/// A device that a backend could run on.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Place of its platform in the driver's list: P of `opencl:P.D`.
    pub platform: usize,
    /// Place in its platform: D of `opencl:P.D`.
    pub index: usize,
    /// The platform's name.
    pub platform_name: String,
    /// The device's own name.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// What it is.
    pub kind: Kind,
    /// Version of its driver.
    pub driver: String,
    /// OpenCL version it offers.
    pub version: String,
    /// Compute units.
    pub units: usize,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Bytes of its largest buffer.
    pub largest_buffer_bytes: u64,
    /// Bytes of local memory of a work-group.
    pub local_bytes: u64,
    /// Most work-items of a work-group.
    pub largest_group: usize,
    /// NVIDIA's compute capability.
    pub compute_capability: Option<(u32, u32)>,
    pub(crate) id: DeviceId,
}

impl Candidate {
    /// `opencl:P.D`.
    pub fn selector(&self) -> String {
        format!("opencl:{}.{}", self.platform, self.index)
    }

    /// Whether it is NVIDIA's.
    pub fn is_nvidia(&self) -> bool {
        self.vendor.contains("NVIDIA")
    }
}

impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.selector(), self.name, self.platform_name)
    }
}

/// Every device of every platform, in the driver's order.
///
/// The driver is asked once in a process: asking it from several threads at once confuses some drivers,
/// and devices do not come and go.
pub fn devices() -> Result<Vec<Candidate>> {
    static FOUND: OnceLock<std::result::Result<Vec<Candidate>, String>> = OnceLock::new();
    FOUND.get_or_init(discover).clone().map_err(|reason| BackendError::NoPlatform {
        backend: "OpenCL",
        hint: format!(
            "{reason}; install the device's OpenCL driver, or for a CPU the package pocl-opencl-icd"
        ),
    })
}

fn discover() -> std::result::Result<Vec<Candidate>, String> {
    let mut found = Vec::new();
    for (platform, id) in platforms()?.into_iter().enumerate() {
        let platform_name = text(|size, to, used| {
            // SAFETY: a live platform; `to` has `size` bytes.
            unsafe { ffi::clGetPlatformInfo(id, ffi::CL_PLATFORM_NAME, size, to, used) }
        });
        for (index, device) in device_ids(id).into_iter().enumerate() {
            found.push(candidate(platform, index, &platform_name, device));
        }
    }
    Ok(found)
}

/// The device that `name` asks for: `opencl:P.D`, or with `opencl` a GPU if there is one, else any.
pub fn choose(name: &str) -> Result<Candidate> {
    let all = devices()?;
    let wanted = match name.strip_prefix("opencl") {
        Some("") => {
            let gpu = all.iter().find(|candidate| candidate.kind == Kind::Gpu);
            return gpu.or(all.first()).cloned().ok_or_else(|| missing(name, &all));
        }
        Some(rest) => rest.strip_prefix(':').and_then(|place| place.split_once('.')),
        None => None,
    };
    let place = wanted.and_then(|(p, d)| Some((p.parse().ok()?, d.parse().ok()?)));
    all.iter()
        .find(|candidate| Some((candidate.platform, candidate.index)) == place)
        .cloned()
        .ok_or_else(|| missing(name, &all))
}

/// The first GPU, if there is one: what `auto` takes.
pub fn gpu() -> Option<Candidate> {
    devices().ok()?.into_iter().find(|candidate| candidate.kind == Kind::Gpu)
}

fn missing(name: &str, all: &[Candidate]) -> BackendError {
    let listed: Vec<String> = all.iter().map(ToString::to_string).collect();
    let listed = if listed.is_empty() { "no device".to_owned() } else { listed.join(", ") };
    BackendError::NoDevice(format!("{name}; there is {listed}"))
}

/// The platforms, without `ocl`'s waiting for those that may yet appear.
fn platforms() -> std::result::Result<Vec<ffi::cl_platform_id>, String> {
    let mut count = 0;
    // SAFETY: asks for the number alone.
    let code = unsafe { ffi::clGetPlatformIDs(0, null_mut(), &mut count) };
    if code != ffi::CL_SUCCESS {
        return Err(name_of(code));
    }
    if count == 0 {
        return Err("the driver's list is empty".into());
    }
    let mut ids = vec![null_mut(); count as usize];
    // SAFETY: `ids` has room for `count`.
    let code = unsafe { ffi::clGetPlatformIDs(count, ids.as_mut_ptr(), null_mut()) };
    if code == ffi::CL_SUCCESS { Ok(ids) } else { Err(name_of(code)) }
}

/// The devices of a platform; none if it cannot say.
fn device_ids(platform: ffi::cl_platform_id) -> Vec<DeviceId> {
    let all = ffi::CL_DEVICE_TYPE_ALL;
    let mut count = 0;
    // SAFETY: asks for the number alone.
    let code = unsafe { ffi::clGetDeviceIDs(platform, all, 0, null_mut(), &mut count) };
    if code != ffi::CL_SUCCESS || count == 0 {
        return Vec::new();
    }
    let mut ids = vec![null_mut(); count as usize];
    // SAFETY: `ids` has room for `count`.
    if unsafe { ffi::clGetDeviceIDs(platform, all, count, ids.as_mut_ptr(), null_mut()) } != ffi::CL_SUCCESS {
        return Vec::new();
    }
    // SAFETY: ids that the driver has just given; devices of a platform are never released.
    ids.into_iter().filter(|id| !id.is_null()).map(|id| unsafe { DeviceId::from_raw(id) }).collect()
}

fn candidate(platform: usize, index: usize, platform_name: &str, id: DeviceId) -> Candidate {
    // NVIDIA's extension cl_nv_device_attribute_query.
    const COMPUTE_CAPABILITY_MAJOR: u32 = 0x4000;
    const COMPUTE_CAPABILITY_MINOR: u32 = 0x4001;
    let words = |key| text(|size, to, used| query(id, key, size, to, used));
    let number = |key| number(|size, to, used| query(id, key, size, to, used));
    let vendor = words(ffi::CL_DEVICE_VENDOR);
    let kind = number(ffi::CL_DEVICE_TYPE).unwrap_or(0);
    let nvidia = vendor.contains("NVIDIA");
    let capability = |key| if nvidia { number(key).map(|x| x as u32) } else { None };
    Candidate {
        platform,
        index,
        platform_name: platform_name.to_owned(),
        name: words(ffi::CL_DEVICE_NAME),
        vendor,
        kind: if kind & ffi::CL_DEVICE_TYPE_GPU != 0 {
            Kind::Gpu
        } else if kind & ffi::CL_DEVICE_TYPE_CPU != 0 {
            Kind::Cpu
        } else {
            Kind::Accelerator
        },
        driver: words(ffi::CL_DRIVER_VERSION),
        version: words(ffi::CL_DEVICE_VERSION),
        units: number(ffi::CL_DEVICE_MAX_COMPUTE_UNITS).unwrap_or(1) as usize,
        memory_bytes: number(ffi::CL_DEVICE_GLOBAL_MEM_SIZE).unwrap_or(0),
        largest_buffer_bytes: number(ffi::CL_DEVICE_MAX_MEM_ALLOC_SIZE).unwrap_or(u64::MAX),
        local_bytes: number(ffi::CL_DEVICE_LOCAL_MEM_SIZE).unwrap_or(0),
        largest_group: number(ffi::CL_DEVICE_MAX_WORK_GROUP_SIZE).unwrap_or(1) as usize,
        compute_capability: capability(COMPUTE_CAPABILITY_MAJOR).zip(capability(COMPUTE_CAPABILITY_MINOR)),
        id,
    }
}

fn query(id: DeviceId, key: u32, size: usize, to: *mut c_void, used: *mut usize) -> i32 {
    // SAFETY: a live device; `to` has `size` bytes or is null with a size of 0.
    unsafe { ffi::clGetDeviceInfo(id.as_raw(), key, size, to, used) }
}

/// A text that a query answers; empty if it fails.
fn text(query: impl Fn(usize, *mut c_void, *mut usize) -> i32) -> String {
    let mut size = 0;
    if query(0, null_mut(), &mut size) != ffi::CL_SUCCESS {
        return String::new();
    }
    let mut bytes = vec![0u8; size];
    if query(size, bytes.as_mut_ptr().cast(), null_mut()) != ffi::CL_SUCCESS {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').trim().to_owned()
}

/// A number of up to 8 bytes that a query answers.
fn number(query: impl Fn(usize, *mut c_void, *mut usize) -> i32) -> Option<u64> {
    let mut size = 0;
    let mut bytes = [0u8; 8];
    let answered = query(bytes.len(), bytes.as_mut_ptr().cast(), &mut size) == ffi::CL_SUCCESS;
    match size {
        4 if answered => {
            let [a, b, c, d, ..] = bytes;
            Some(u64::from(u32::from_ne_bytes([a, b, c, d])))
        }
        8 if answered => Some(u64::from_ne_bytes(bytes)),
        _ => None,
    }
}
