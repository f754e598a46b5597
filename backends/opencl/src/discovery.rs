//! Asks the drivers that are installed what there is.

use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::null_mut;

use ocl::core::DeviceId;
use ocl::core::ffi;

use crate::codes::name_of;
use crate::{Candidate, Kind};

/// What the drivers answer.
pub(crate) struct Found {
    /// The devices that can be used.
    pub(crate) candidates: Vec<Candidate>,
    /// Platforms and devices that cannot be used, each with the reason.
    pub(crate) failures: Vec<String>,
}

/// Every platform's devices; if there is no platform, why, and what would help.
pub(crate) fn discover() -> Result<Found, String> {
    let (mut candidates, mut failures) = (Vec::new(), Vec::new());
    for (platform, id) in platforms()?.into_iter().enumerate() {
        let platform_name = text(|size, to, used| {
            // SAFETY: a live platform; `to` has `size` bytes.
            unsafe { ffi::clGetPlatformInfo(id, ffi::CL_PLATFORM_NAME, size, to, used) }
        });
        let devices = match device_ids(id) {
            Ok(devices) => devices,
            Err(code) => {
                let hint = pocl_hint(&platform_name).map_or_else(String::new, |hint| format!(": {hint}"));
                failures
                    .push(format!("OpenCL platform {platform_name} has no device: {}{hint}", name_of(code)));
                continue;
            }
        };
        for (index, device) in devices.into_iter().enumerate() {
            let can = |key| number(|size, to, used| query(device, key, size, to, used)) != Some(0);
            let candidate = candidate(platform, index, &platform_name, device);
            if !can(ffi::CL_DEVICE_AVAILABLE) {
                failures.push(format!("{candidate} is not available: its driver says so"));
            } else if !can(ffi::CL_DEVICE_COMPILER_AVAILABLE) {
                failures.push(format!("{candidate} has no compiler for kernels"));
            } else {
                candidates.push(candidate);
            }
        }
    }
    Ok(Found { candidates, failures })
}

/// What keeps PoCL from having a device: it answers all of it with "not found".
fn pocl_hint(platform_name: &str) -> Option<String> {
    if !platform_name.contains("Portable Computing Language") {
        return None;
    }
    if let Some(wanted) = std::env::var_os("POCL_DEVICES") {
        return Some(format!("POCL_DEVICES is {}", wanted.display()));
    }
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let given = std::env::var_os("POCL_CACHE_DIR").map(PathBuf::from);
    let folder = || {
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).map(|below| below.join("pocl"))
    };
    let folder = given.or_else(folder)?;
    match std::fs::create_dir_all(&folder).and_then(|()| writable(&folder)) {
        Ok(()) => None,
        Err(error) => Some(format!(
            "its cache {} cannot be written ({error}); set POCL_CACHE_DIR to a folder that can be",
            folder.display()
        )),
    }
}

/// Whether a file can be made in `folder`.
fn writable(folder: &std::path::Path) -> std::io::Result<()> {
    let path = folder.join(format!(".ff-{}", std::process::id()));
    std::fs::File::create(&path)?;
    std::fs::remove_file(path)
}

/// The platforms, without `ocl`'s waiting for those that may yet appear.
fn platforms() -> Result<Vec<ffi::cl_platform_id>, String> {
    let install = "install the device's OpenCL driver, or for a CPU the package pocl-opencl-icd";
    ff_opencl_loader::load().map_err(|reason| {
        let library = ff_opencl_loader::LIBRARY;
        format!(
            "{library} cannot be loaded ({reason}); install the package ocl-icd-libopencl1, and {install}"
        )
    })?;
    let mut count = 0;
    // SAFETY: asks for the number alone.
    let code = unsafe { ffi::clGetPlatformIDs(0, null_mut(), &mut count) };
    if code != ffi::CL_SUCCESS {
        return Err(format!("{}; {install}", name_of(code)));
    }
    if count == 0 {
        return Err(format!("the list of drivers is empty; {install}"));
    }
    let mut ids = vec![null_mut(); count as usize];
    // SAFETY: `ids` has room for `count`.
    let code = unsafe { ffi::clGetPlatformIDs(count, ids.as_mut_ptr(), null_mut()) };
    if code == ffi::CL_SUCCESS { Ok(ids) } else { Err(name_of(code)) }
}

/// The devices of a platform, or the driver's error code.
fn device_ids(platform: ffi::cl_platform_id) -> Result<Vec<DeviceId>, i32> {
    let all = ffi::CL_DEVICE_TYPE_ALL;
    let mut count = 0;
    // SAFETY: asks for the number alone.
    let code = unsafe { ffi::clGetDeviceIDs(platform, all, 0, null_mut(), &mut count) };
    if code != ffi::CL_SUCCESS || count == 0 {
        return Err(if code == ffi::CL_SUCCESS { ffi::CL_DEVICE_NOT_FOUND } else { code });
    }
    let mut ids = vec![null_mut(); count as usize];
    // SAFETY: `ids` has room for `count`.
    let code = unsafe { ffi::clGetDeviceIDs(platform, all, count, ids.as_mut_ptr(), null_mut()) };
    if code != ffi::CL_SUCCESS {
        return Err(code);
    }
    // SAFETY: ids that the driver has just given; devices of a platform are never released.
    Ok(ids.into_iter().filter(|id| !id.is_null()).map(|id| unsafe { DeviceId::from_raw(id) }).collect())
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
        unified_memory: number(ffi::CL_DEVICE_HOST_UNIFIED_MEMORY) == Some(1),
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
